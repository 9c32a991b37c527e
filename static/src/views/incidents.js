/** The running incidents of a campaign: what happens, with the numbers when it began, and what to do. */

import { Component } from "preact";
import { html } from "../html.js";
import { campaignTopic } from "../protocol.js";
import { runningOf } from "../select.js";
import { text } from "../glossary.js";

const HOUR = 3_600_000;

/**
 * @typedef {import("../protocol.js").Incident} Incident
 * @typedef {{id: string, data: import("../state.js").CampaignData | null, page: import("./app.js").Page}} Props
 */

/** @param {Props} props */
export function IncidentsView({ id, data, page }) {
  const running = runningOf(data);
  if (running.length === 0) return null;
  return html`
    ${running.map((incident) => html`<${IncidentNotice} key=${incident.incident} incident=${incident} page=${page} />`)}
    <${Snooze} ...${{ id, data, page }} />`;
}

/** @param {{incident: Incident, page: import("./app.js").Page}} props */
function IncidentNotice({ incident: { kind, level, began_at, values }, page: { format, now } }) {
  return html`
    <p class="notice incident" role="alert" data-level=${level}>
      <strong>${text(`incident_title.${kind}`, values)}.</strong>
      ${" "}${text(`incident_happened.${kind}`, {
        provider: values.provider, affected: format.count(values.affected), total: format.count(values.total),
        window: sentIn(kind, began_at, values.since),
      })}
      ${" "}${text(`incident_to_do.${kind}`, values)}
      ${" "}<span class="when">${text("incident.since", { time: format.clock(began_at, now) })}</span>
    </p>`;
}

/** @param {string} kind @param {number} began @param {number | null} since @returns {string} since when the emails were sent */
function sentIn(kind, began, since) {
  const minutes = since === null ? 0 : Math.round((began - since) / 60_000);
  if (minutes < 1) return "";
  return text(`incident_${minutes > 1 ? "minutes" : "minute"}.${kind}`, { minutes }) ?? "";
}

/** Until when the alarms of the campaign are snoozed, and a button for those who may change it. */
export class Snooze extends Component {
  state = { busy: false, error: /** @type {string | null} */ (null) };

  /** @param {number | null} until milliseconds since 1970 */
  #set(until) {
    const { id, page } = /** @type {Props} */ (this.props);
    const snooze_until = until && new Date(until).toISOString().replace(/\.\d+/, "");
    this.setState({ busy: true, error: null });
    page.ask({ action: "setAlarms", id: campaignTopic(id), stream: false, snooze_until }, () => {}).then(
      () => this.setState({ busy: false }),
      ({ message }) => this.setState({ busy: false, error: message }),
    );
  }

  render() {
    const { data, page } = /** @type {Props} */ (this.props);
    const until = data?.alarms?.snooze_until ?? 0;
    const snoozed = until > page.now;
    const { busy, error } = this.state;
    if (!snoozed && !data?.alarms?.may_change) return null;
    return html`
      <p class="snooze">
        ${snoozed && html`<span>${text("incident.snoozed", { time: page.format.dateTime(until) })}</span>`}
        ${data?.alarms?.may_change && html`
          <button type="button" aria-disabled=${busy} onClick=${() => busy || this.#set(snoozed ? null : page.now + HOUR)}>
            ${text(snoozed ? "incident.resume" : "incident.snooze")}
          </button>`}
        ${error && html`<span role="alert">${text("incident.not_set", { reason: error })}</span>`}
      </p>`;
  }
}
