/** All incidents of a campaign, and the settings of its alarms for those who may change them. */

import { Component } from "preact";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { spanOf } from "../incident-span.js";
import { campaignTopic } from "../protocol.js";

/** @param {"all_kinds" | "usual_kinds"} which @returns {string[]} kinds of alarms, as Python defines them */
const kindsOf = (which) => text(`incident.${which}`)?.split(" ") ?? [];

/** The quiet hours that are proposed. */
const NIGHT = { from: "22:00", to: "07:00", except_critical: true };

/**
 * @typedef {import("../protocol.js").Alarms} Alarms
 * @typedef {import("../protocol.js").Quiet} Quiet
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
      ${data.alarms?.may_change && html`
        <details>
          <summary>${text("incident.settings")}</summary>
          <${Settings} ...${{ id, alarms: data.alarms, defaults: data.defaults, page }} />
        </details>`}
    </section>`;
}

/** @param {readonly string[]} kinds */
const titlesOf = (kinds) => kinds.map((kind) => text(`incident_title.${kind}`, { provider: text("incident.a_provider") })).join(", ");

/** @param {readonly string[] | null | undefined} kinds of all campaigns; null: the usual ones */
function describeKinds(kinds) {
  if (kinds) return kinds.length > 0 ? titlesOf(kinds) : text("incident.kinds_none");
  const usual = kindsOf("usual_kinds");
  return text("incident.kinds_usual", { kinds: titlesOf(kindsOf("all_kinds").filter((kind) => !usual.includes(kind))) });
}

/** @param {Quiet | undefined} quiet of all campaigns */
function describeQuiet(quiet) {
  if (!quiet || quiet === "none") return text("incident.quiet_none");
  return text(quiet.except_critical ? "incident.quiet_except" : "incident.quiet_hours", quiet);
}

/**
 * Settings of the alarms of a campaign or, if `id` is null, of all campaigns. `defaults`: those of all campaigns.
 *
 * `draft`: what was chosen; it is shown until the saved settings arrive.
 * @typedef {{kinds: readonly string[] | null, quiet: Quiet, test: boolean}} Draft
 * @typedef {{draft: Draft | null, busy: boolean, savedOver: number | null, error: string | null}} State `savedOver`: the
 *   version of the settings that were known when the draft was saved
 * @extends {Component<{id: string | null, alarms: Alarms, defaults: Alarms | null, page: Props["page"]}, State>}
 */
export class Settings extends Component {
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
    const { kinds, quiet, test } = this.#draft();
    this.setState({ draft: { kinds, quiet, test, ...change }, savedOver: null, error: null });
  }

  /** @param {Event} event */
  #save = (event) => {
    event.preventDefault();
    if (this.state.busy) return;
    const { id, alarms: { version }, page } = this.props;
    const { kinds, quiet, test } = this.#draft();
    const of = id === null ? {} : { id: campaignTopic(id), test };
    this.setState({ busy: true, savedOver: null, error: null });
    page.ask({ action: "setAlarms", ...of, stream: false, kinds, quiet }, () => {}).then(
      () => this.setState({ busy: false, savedOver: version }),
      ({ message }) => this.setState({ busy: false, error: message }),
    );
  };

  render() {
    const { id } = this.props;
    const { busy, savedOver, error } = this.state;
    const { test } = this.#draft();
    return html`
      <form onSubmit=${this.#save}>
        ${this.#kinds()}
        ${this.#quiet()}
        ${id !== null && html`
          <label><input type="checkbox" checked=${test} disabled=${busy} onChange=${() => this.#change({ test: !test })} />
            <span>${text("incident.test")}</span></label>`}
        <p><button type="submit" aria-disabled=${busy}>${text("incident.save")}</button>
          <span role="status">${savedOver !== null && text("incident.saved")}</span>
          ${error && html`<span role="alert">${text("incident.not_set", { reason: error })}</span>`}</p>
        ${id !== null && html`<p class="foot"><span>${text("incident.of_all_where")}${" "}<a href="#/health">${text("pipeline.title")}</a>.</span></p>`}
      </form>`;
  }

  #kinds() {
    const { id, defaults } = this.props;
    const { kinds } = this.#draft();
    const usual = describeKinds(id === null ? null : defaults?.kinds);
    return html`
      <fieldset disabled=${this.state.busy}>
        <legend>${text("incident.kinds")}</legend>
        ${choice("kinds", kinds === null, id === null ? usual : text("incident.kinds_of_all", { kinds: usual }), () => this.#change({ kinds: null }))}
        ${choice("kinds", kinds !== null, text("incident.kinds_chosen"), () => this.#change({ kinds: kinds ?? defaults?.kinds ?? kindsOf("usual_kinds") }))}
        ${kinds && html`<div class="some" role="group" aria-label=${text("incident.kinds_chosen")}>${kindsOf("all_kinds").map((kind) => html`
          <label key=${kind}><input type="checkbox" checked=${kinds.includes(kind)} onChange=${() => this.#change({
            kinds: kinds.includes(kind) ? kinds.filter((one) => one !== kind) : [...kinds, kind],
          })} />
            <span>${titlesOf([kind])}</span></label>`)}
        </div>`}
      </fieldset>`;
  }

  #quiet() {
    const { id, defaults } = this.props;
    const { quiet } = this.#draft();
    const own = quiet !== null && quiet !== "none" ? quiet : null;
    const none = id === null ? quiet === null || quiet === "none" : quiet === "none";
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    /** @param {Partial<NonNullable<typeof own>>} changed */
    const change = (changed) => own && this.#change({ quiet: { ...own, ...changed } });
    /** @param {"from" | "to"} name */
    const time = (name) => html`
      <label>${text(`incident.quiet_${name}`)}
        <input type="time" required value=${own?.[name]} onChange=${(/** @type {any} */ { target }) => change({ [name]: target.value })} /></label>`;
    return html`
      <fieldset disabled=${this.state.busy}>
        <legend>${text("incident.quiet")}</legend>
        ${id !== null && choice("quiet", quiet === null, text("incident.quiet_of_all", { hours: describeQuiet(defaults?.quiet) }), () => this.#change({ quiet: null }))}
        ${choice("quiet", none, text("incident.quiet_none"), () => this.#change({ quiet: id === null ? null : "none" }))}
        ${choice("quiet", own !== null, text("incident.quiet_own"), () => this.#change({ quiet: own ?? { ...NIGHT, zone } }))}
        ${own && html`
          <div class="hours" role="group" aria-label=${text("incident.quiet_own")}>
            ${time("from")}${time("to")}
            <label>${text("incident.quiet_zone")}
              <select onChange=${(/** @type {any} */ { target }) => change({ zone: target.value })}>
                ${[...new Set([own.zone, zone, "UTC", ...Intl.supportedValuesOf("timeZone")])].map((one) => html`
                  <option key=${one} value=${one} selected=${one === own.zone}>${one}</option>`)}
              </select></label>
          </div>
          <label class="below"><input type="checkbox" checked=${own.except_critical} onChange=${() => change({ except_critical: !own.except_critical })} />
            <span>${text("incident.quiet_critical")}</span></label>
          <p class="foot">${text("incident.quiet_help")}</p>`}
      </fieldset>`;
  }
}

/** @param {string} name @param {boolean} checked @param {string | undefined} label @param {() => void} onChange */
const choice = (name, checked, label, onChange) => html`
  <label><input type="radio" name=${name} checked=${checked} onChange=${onChange} /><span>${label}</span></label>`;
