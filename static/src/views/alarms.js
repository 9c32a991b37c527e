/** All incidents of a campaign, and the settings of its alarms for those who may change them. */

import { Component } from "preact";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { spanOf } from "../incident-span.js";
import { campaignTopic } from "../protocol.js";

const KINDS = /** @type {const} */ ([
  "complaints", "bounces", "provider_delays", "provider_bounces", "low_opens", "no_opens", "stopped", "pipeline_late", "template_errors",
]);

/** An alarm of the stage reports these unless they are chosen. @type {readonly string[]} */
const NOT_BY_DEFAULT = ["pipeline_late"];

/**
 * @typedef {import("../protocol.js").Alarms} Alarms
 * @typedef {{id: string, data: import("../state.js").CampaignData, page: import("./app.js").Page,
 *            Snooze: typeof import("./incidents.js").Snooze}} Props `Snooze`: an argument, because an import would split
 *   the code of the campaign into one more file
 */

/** @param {Props} props */
export function AlarmsView({ id, data, page, Snooze }) {
  const incidents = [...data.incidents.values()].sort((a, b) => b.began_at - a.began_at);
  return html`
    <section class="panel alarms" aria-labelledby="alarms">
      <h2 id="alarms">${text("incident.title_with_alarms")}</h2>
      ${incidents.length > 0 ? html`
        <ul>
          ${incidents.map((one) => html`
            <li key=${one.incident}>
              <strong data-level=${one.ended_at === null ? one.level : ""}>${text(`incident_title.${one.kind}`, one.values) ?? one.kind}.</strong>
              ${" "}<span class="span">${spanOf(one, page.format)}</span>
            </li>`)}
        </ul>`
      : html`<p class="none">${text("incident.none")}</p>`}
      ${incidents.every(({ ended_at }) => ended_at !== null) && html`<${Snooze} ...${{ id, data, page }} />`}
      ${data.alarms?.may_change && html`<${Settings} ...${{ id, alarms: data.alarms, page }} />`}
    </section>`;
}

/**
 * `draft`: what was chosen; it is shown until the saved settings arrive.
 * @typedef {{kinds: readonly string[] | null, test: boolean}} Draft
 * @typedef {{draft: Draft | null, busy: boolean, savedOver: number | null, error: string | null}} State `savedOver`: the
 *   version of the settings that were known when the draft was saved
 * @extends {Component<{id: string, alarms: Alarms, page: Props["page"]}, State>}
 */
class Settings extends Component {
  /** @type {State} */
  state = { draft: null, busy: false, savedOver: null, error: null };

  /** @returns {Draft} */
  #draft() {
    const { alarms } = this.props;
    const { draft, savedOver } = this.state;
    return draft && (savedOver === null || alarms.version <= savedOver) ? draft : alarms;
  }

  /** @param {Partial<Draft>} change */
  #change(change) {
    const { kinds, test } = this.#draft();
    this.setState({ draft: { kinds, test, ...change }, savedOver: null, error: null });
  }

  /** @param {Event} event */
  #save = (event) => {
    event.preventDefault();
    const { id, alarms: { version }, page } = this.props;
    const { kinds, test } = this.#draft();
    this.setState({ busy: true, savedOver: null, error: null });
    page.ask({ action: "setAlarms", id: campaignTopic(id), stream: false, kinds, test }, () => {}).then(
      () => this.setState({ busy: false, savedOver: version }),
      ({ message }) => this.setState({ busy: false, error: message }),
    );
  };

  render() {
    const { busy, savedOver, error } = this.state;
    const { kinds, test } = this.#draft();
    const chosen = kinds ?? KINDS.filter((kind) => !NOT_BY_DEFAULT.includes(kind));
    return html`
      <details>
        <summary>${text("incident.settings")}</summary>
        <form onSubmit=${this.#save}>
          <fieldset disabled=${busy}>
            <legend>${text("incident.kinds")}</legend>
            <label><input type="radio" name="kinds" checked=${kinds === null} onChange=${() => this.#change({ kinds: null })} />
              <span>${text("incident.kinds_of_all")}</span></label>
            <label><input type="radio" name="kinds" checked=${kinds !== null} onChange=${() => this.#change({ kinds: chosen })} />
              <span>${text("incident.kinds_chosen")}</span></label>
            ${kinds && html`<div class="some" role="group" aria-label=${text("incident.kinds_chosen")}>${KINDS.map((kind) => html`
              <label key=${kind}><input type="checkbox" checked=${kinds.includes(kind)} onChange=${() => this.#change({
                kinds: kinds.includes(kind) ? kinds.filter((one) => one !== kind) : [...kinds, kind],
              })} />
                <span>${text(`incident_title.${kind}`, { provider: text("incident.a_provider") })}</span></label>`)}
            </div>`}
          </fieldset>
          <label><input type="checkbox" checked=${test} disabled=${busy} onChange=${() => this.#change({ test: !test })} />
            <span>${text("incident.test")}</span></label>
          <p><button type="submit" disabled=${busy}>${text("incident.save")}</button>
            <span role="status">${savedOver !== null && text("incident.saved")}</span>
            ${error && html`<span role="alert">${text("incident.not_set", { reason: error })}</span>`}</p>
        </form>
      </details>`;
  }
}
