/** The timeline of a campaign, by minute, hour, or day, or by its age. */

import { Component } from "preact";
import { download } from "../csv.js";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { standsAlone } from "../leader.js";
import { campaignHash } from "../route.js";
import { GRAINS } from "../protocol.js";
import { columnsOf } from "../series.js";
import { STEP } from "../state.js";
import { bucketsOf, defaultGrain } from "../select.js";
import { isUtc } from "../format.js";
import { lazy } from "./lazy.js";
import { Panel } from "./panel.js";
import { ZoneChoice } from "./zone-choice.js";

/**
 * @typedef {import("../protocol.js").Counter} Counter
 * @typedef {import("../protocol.js").Grain} Grain
 * @typedef {import("../format.js").Format} Format
 * @typedef {import("../chart.js").Range} Range
 */

/** Two charts, each with its own scale: a thousand sends would flatten ten clicks. */
const PANELS = /** @type {{title: string, counters: Counter[]}[]} */ ([
  { title: "timeline.sending", counters: ["sends", "deliveries", "hard_bounces"] },
  { title: "timeline.engagement", counters: ["opens", "human_opens", "human_clicks"] },
]);
const COUNTERS = PANELS.flatMap((panel) => panel.counters);

const AgeView = lazy(() => import("./by-age.js").then((module) => module.AgeView));

const IncidentMarks = lazy(() => import("./incident-marks.js").then((module) => module.IncidentMarks));

/**
 * @typedef {{id: string, data: import("../state.js").CampaignData | null, page: import("./app.js").Page,
 *            format: Format, query: string}} Props `data`: null while it is loading; `query`: `age=human_opens`
 *   or `age=human_clicks` for the chart by age, which share links do not have
 * @typedef {{grain: Grain | null, row: number | null, table: boolean, hidden: Counter[],
 *            zoom: Range | null}} State `grain`, `hidden`, and `zoom` as the
 *   reader chose them; `row` at the pointer
 * @extends {Component<Props, State>}
 */
export class TimelineView extends Component {
  /** @type {State} */
  state = { grain: null, row: null, table: false, hidden: [], zoom: null };

  /** @param {Props} props @param {State} state */
  shouldComponentUpdate(props, state) {
    return props.data !== this.props.data || props.format !== this.props.format || state !== this.state
      || props.query !== this.props.query || ageOf(props) !== null;
  }

  render() {
    const { id, data, format, page } = this.props;
    const metric = ageOf(this.props);
    const onAge = (/** @type {string | null} */ name) => page.go(campaignHash(id) + (name ? `?age=${name}` : ""), true);
    const { row, table, hidden, zoom } = this.state;
    const campaign = data?.summary?.campaign;
    const grain = this.state.grain ?? (data ? defaultGrain(data) : "minute");
    const [times, ...columns] = columnsOf(data ? bucketsOf(data, grain) : [], grain, COUNTERS);
    const expired = data && campaign?.last_event_at && grain === "minute";
    const pointed = row === null ? undefined : times[row];
    // A zoomed chart keeps its grain, however long the campaign gets.
    const onZoom = (/** @type {State["zoom"]} */ range) => this.setState({ zoom: range, ...(range && { grain }) });
    const onToggle = (/** @type {any} */ counter) => this.setState({
      hidden: hidden.includes(counter) ? hidden.filter((one) => one !== counter) : [...hidden, counter],
    });
    const step = STEP[grain] / 1000;
    const [from, to] = zoom ?? [times[0] ?? 0, (times.at(-1) ?? 0) + step];
    // The later half, which is still changing.
    const zoomIn = () => onZoom([to - Math.ceil((to - from) / step / 2) * step, to]);
    const save = () => download(`${id} by ${grain}`, [["from", ...COUNTERS], ...times.map(
      (at, index) => [new Date(at * 1000).toISOString(), ...columns.map((column) => column[index])],
    )]);
    const onPoint = (/** @type {number | null} */ at) => {
      if (at !== this.state.row) this.setState({ row: at });
    };
    return html`
      <section class="panel" aria-labelledby="timeline">
        <div class="panel-head">
          <h2 id="timeline">${text("timeline.title")}</h2>
          ${!standsAlone() && html`
            <fieldset class="choice">
              <legend class="visually-hidden">${text("timeline.axis")}</legend>
              ${[null, "human_opens"].map((name) => html`
                <label>
                  <input type="radio" name="axis" checked=${!name === !metric} onChange=${() => onAge(name)} />
                  <span>${text(name ? "timeline.age" : "timeline.clock")}</span>
                </label>`)}
            </fieldset>`}
          ${!metric && html`<p class="span">
            ${pointed === undefined ? text(`timeline.${grain}_span`) : format.bucket(pointed * 1000, grain)}
            ${grain === "day" && !isUtc(format.zone) && html`${" · "}${text("timeline.utc_days", { time: format.dateTime((times[0] ?? 0) * 1000) })}`}
          </p>
          <${ZoneChoice} page=${page} />
          <fieldset class="choice">
            <legend class="visually-hidden">${text("timeline.interval")}</legend>
            ${GRAINS.map((name) => html`
              <label>
                <input type="radio" name="grain" value=${name} checked=${name === grain}
                  onChange=${() => this.setState({ grain: name, row: null, zoom: null })} />
                <span>${text(`timeline.${name}`)}</span>
              </label>`)}
          </fieldset>`}
        </div>
        ${metric ? html`<div class="by-age"><${AgeView} ...${{ id, data, page, metric, onMetric: onAge }} /></div>` : html`<div class="charts">${PANELS.map(({ title, counters }, index) => html`
          <${Panel} key=${title + grain} title=${text(title)} counters=${counters} grain=${grain} format=${format}
            data=${data} row=${row} hidden=${hidden} zoom=${zoom} onZoom=${onZoom} onToggle=${onToggle}
            columns=${[times, ...columns.slice(index * 3, index * 3 + 3)]} onPoint=${onPoint}>
            ${data && data.incidents.size > 0 && html`<${IncidentMarks} ...${{ data, from, to, step, format, repeated: index > 0 }} />`}
          <//>`)}</div>
        ${times.length > 0 ? html`
          <p class="tools">
            <button type="button" onClick=${zoomIn} disabled=${to - from < 4 * step}>${text("timeline.zoom_in")}</button>
            <button type="button" onClick=${() => onZoom(null)} disabled=${!zoom}>${text("page.show_all")}</button>
            <button type="button" onClick=${save}>${text("page.download")}</button>
            <span class="span">${text("timeline.zoom_hint")}</span>
          </p>
          <details open=${table}>
            <summary onClick=${(/** @type {Event} */ event) => {
              event.preventDefault();
              this.setState({ table: !table });
            }}>${text("timeline.table")}</summary>
            ${table && html`<${Table} times=${times} columns=${columns} grain=${grain} format=${format} />`}
          </details>`
        : html`<p class="none">
            ${text(!data ? "page.loading" : expired ? "timeline.expired" : "page.no_events")}
          </p>`}`}
      </section>`;
  }
}

/** @param {{query: string}} props @returns {"human_opens" | "human_clicks" | null} null for the clock */
function ageOf({ query }) {
  const age = new URLSearchParams(query).get("age");
  return age === null || standsAlone() ? null : age === "human_clicks" ? age : "human_opens";
}

/** @param {{times: number[], columns: number[][], grain: Grain, format: Format}} props */
function Table({ times, columns, grain, format }) {
  const rows = times.map((_, row) => row).filter((row) => columns.some((column) => column[row])).reverse();
  return html`
    <div class="scroll" tabindex="0" role="group" aria-label=${text("timeline.table_label")}>
      <table>
        <thead><tr>
          <th scope="col">${text("timeline.time")}</th>
          ${COUNTERS.map((counter) => html`<th scope="col" class="number">${text(`label.${counter}`)}</th>`)}
        </tr></thead>
        <tbody>
          ${rows.map((row) => html`
            <tr key=${times[row]}>
              <th scope="row">${format.bucket((times[row] ?? 0) * 1000, grain)}</th>
              ${columns.map((column) => html`<td class="number">${format.count(column[row] ?? 0)}</td>`)}
            </tr>`)}
        </tbody>
      </table>
    </div>`;
}
