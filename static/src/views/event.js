/** A table row for one event: time, type, recipient, and details with the reason of the verdict. */

import { Component } from "preact";
import { html } from "../html.js";
import { text } from "../glossary.js";

/** @typedef {import("../protocol.js").Activity} Activity */

/** @param {Activity} one @returns {string} the link, the verdict with its reasons, or the reason of a bounce or complaint */
export function detailOf(one) {
  const { type, link, label, engager, reason, bounce_type: bounceType, detail, subtype, status, diagnostic } = one;
  if (type === "Bounce") {
    return joined(text(`bounce.${bounceType}/${detail}`) ?? detail, status, diagnostic, one.reporting_mta, ...recipientOf(one));
  }
  if (!engager) return joined(detail, subtype, status, diagnostic);
  const why = (reason ?? "").split(", ").map((one) => text(`reason.${one}`) ?? one).join("; ");
  return `${link ? `${joined(label, link)} · ` : ""}${text(`engager.${engager}`) ?? engager} – ${why}`;
}

/** What is known about the recipient besides the address or pseudonym. @param {Activity} one */
const recipientOf = ({ recipient, reported_recipient: reported, domain }) => [
  recipient?.includes("@") ? null : domain,
  reported && text("activity.reported", { recipient: reported }),
];

/** @param {(string | null | undefined)[]} parts */
const joined = (...parts) => parts.filter(Boolean).join(" · ");

/**
 * @typedef {{one: Activity, format: import("../format.js").Format}} Props
 * @extends {Component<Props>}
 */
export class EventRow extends Component {
  /** Each response has new objects for the same events. @param {Props} next */
  shouldComponentUpdate({ one, format }) {
    return one.engager !== this.props.one.engager || one.reason !== this.props.one.reason || format !== this.props.format;
  }

  render() {
    const { one, format } = this.props;
    return html`
      <tr data-type=${one.type} data-engager=${one.engager}>
        <td class="when"><time datetime=${new Date(one.at).toISOString()}>${format.moment(one.at)}</time></td>
        <th scope="row"><i class=${`line ${one.engager ?? ""} ${one.type}`}></i>${text(`event.${one.type}`) ?? one.type}</th>
        <td class="whom" title=${one.reported_recipient ?? one.recipient}><bdi>${one.recipient ?? "–"}</bdi></td>
        <td class="why">${detailOf(one)}</td>
      </tr>`;
  }
}
