/** A table row for one event: time, type, recipient, and details with the reason of the verdict. */

import { Component } from "preact";
import { html } from "../html.js";
import { text } from "../glossary.js";

/** @typedef {import("../protocol.js").Activity} Activity */

/** @param {Activity} one @returns {string} the link, the verdict with its reasons, or the bounce reason */
export function detailOf({ type, link, engager, reason, bounce_type: bounceType, detail }) {
  if (type === "Bounce") return text(`bounce.${bounceType}/${detail}`) ?? detail ?? "";
  if (!engager) return detail ?? "";
  const why = (reason ?? "").split(", ").map((one) => text(`reason.${one}`) ?? one).join("; ");
  return `${link ? `${link} · ` : ""}${text(`engager.${engager}`) ?? engager} – ${why}`;
}

/**
 * @typedef {{one: Activity, format: import("../format.js").Format}} Props
 * @extends {Component<Props>}
 */
export class EventRow extends Component {
  /** Each response has new objects for the same events. @param {Props} next */
  shouldComponentUpdate({ one }) {
    return one.engager !== this.props.one.engager || one.reason !== this.props.one.reason;
  }

  render() {
    const { one, format } = this.props;
    return html`
      <tr data-type=${one.type} data-engager=${one.engager}>
        <td class="when"><time datetime=${new Date(one.at).toISOString()}>${format.moment(one.at)}</time></td>
        <th scope="row"><i class=${`line ${one.engager ?? ""} ${one.type}`}></i>${text(`event.${one.type}`) ?? one.type}</th>
        <td class="whom" title=${one.recipient}><bdi>${one.recipient ?? "–"}</bdi></td>
        <td class="why">${detailOf(one)}</td>
      </tr>`;
  }
}
