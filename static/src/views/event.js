/** One event of a campaign in a table's row: when, what, who, and why Mailpulse says so. */

import { Component } from "preact";
import { html } from "../html.js";
import { say } from "../words.js";

/** @typedef {import("../protocol.js").Activity} Activity */

const TYPES = /** @type {Record<string, string>} */ ({
  Open: "Opened", Click: "Clicked", Bounce: "Bounced", Complaint: "Complained", Subscription: "Unsubscribed",
  DeliveryDelay: "Delayed", Reject: "Rejected", "Rendering Failure": "Not rendered",
});
const ENGAGERS = /** @type {Record<string, string>} */ ({ human: "a person", machine: "a machine", unknown: "unknown" });

/** @param {Activity} one @returns {string} what more there is to say of it, in plain words */
export function detailOf({ type, link, engager, reason, bounce_type: bounceType, detail }) {
  if (type === "Bounce") return say(`bounce.${bounceType}/${detail}`) ?? detail ?? "";
  if (!engager) return detail ?? "";
  const why = (reason ?? "").split(", ").map((one) => say(`reason.${one}`) ?? one).join("; ");
  return `${link ? `${link} · ` : ""}${ENGAGERS[engager] ?? engager}: ${why}`;
}

/**
 * @typedef {{one: Activity, format: import("../format.js").Format}} Props
 * @extends {Component<Props>}
 */
export class EventRow extends Component {
  /** An event that was asked for again is another object. @param {Props} next */
  shouldComponentUpdate({ one }) {
    return one.engager !== this.props.one.engager || one.reason !== this.props.one.reason;
  }

  render() {
    const { one, format } = this.props;
    return html`
      <tr data-type=${one.type} data-engager=${one.engager}>
        <td class="when"><time datetime=${new Date(one.at).toISOString()}>${format.moment(one.at)}</time></td>
        <th scope="row"><i class=${`line ${one.engager ?? ""} ${one.type}`}></i>${TYPES[one.type] ?? one.type}</th>
        <td class="whom" title=${one.recipient}><bdi>${one.recipient ?? "–"}</bdi></td>
        <td class="why">${detailOf(one)}</td>
      </tr>`;
  }
}
