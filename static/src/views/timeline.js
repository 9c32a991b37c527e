/** The timeline of a campaign, by minute, hour, or day, or by its age. */

import { Component } from "preact";
import { download } from "../csv.js";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { standsAlone } from "../leader.js";
import { GRAINS } from "../protocol.js";
import { columnsOf } from "../series.js";
import { STEP } from "../state.js";
import { bucketsOf, defaultGrain } from "../select.js";
import { isUtc } from "../format.js";
import { COUNTERS, parseView, queryOf } from "../timeline-query.js";
import { lazy } from "./lazy.js";
import { Panel } from "./panel.js";
import { ZoneChoice } from "./zone-choice.js";

/**
 * @typedef {import("../format.js").Format} Format
 * @typedef {import("../chart.js").Range} Range
 */

/** Two charts, each with its own scale: a thousand sends would flatten ten clicks. */
const PANELS = ["sending", "engagement"];

const AgeView = lazy(() => import("./by-age.js").then((module) => module.AgeView));

const Marks = lazy(() => import("./marks.js").then((module) => module.Marks));
const NotesView = lazy(() => import("./notes.js").then((module) => module.NotesView));
const QueryProblems = lazy(() => import("./query-problems.js").then((module) => module.QueryProblems));
const Table = lazy(() => import("./timeline-table.js").then((module) => module.TimelineTable));

/**
 * @typedef {{id: string, data: import("../state.js").CampaignData | null, page: import("./app.js").Page,
 *            format: Format, query: string}} Props `data`: null while it is loading; `query`: of the URL, what the
 *   reader chose to see
 * @typedef {{row: number | null, table: boolean}} State `row`: at the pointer
 * @extends {Component<Props, State>}
 */
export class TimelineView extends Component {
  /** @type {State} */
  state = { row: null, table: false };
  #query = this.props.query;
  #parsed = parseView(this.#query);

  /** @param {Props} props @param {State} state */
  shouldComponentUpdate(props, state) {
    return props.data !== this.props.data || props.format !== this.props.format || state !== this.state
      || props.query !== this.props.query || ageOf(this.#parsed) !== null || minuteOf(props) !== minuteOf(this.props);
  }

  /** @param {Partial<import("../timeline-query.js").View>} some what to change */
  #go(some) {
    const view = { ...this.#parsed.view, ...some };
    this.#query = queryOf(view);
    this.#parsed = { view, problems: [] };
    this.props.page.go(`${location.hash.split("?")[0]}${this.#query && `?${this.#query}`}`, true);
  }

  /** @param {string} counter */
  #toggle = (counter) => {
    const { hidden } = this.#parsed.view;
    this.#go({ hidden: hidden.includes(counter) ? hidden.filter((one) => one !== counter) : [...hidden, counter] });
  };

  render() {
    const { id, data, format, page, query } = this.props;
    // Charts are drawn again if the range or the hidden counters are other objects.
    if (this.#query !== query) this.#parsed = parseView(query);
    this.#query = query;
    const { view: { zoom, hidden, ...view }, problems } = this.#parsed;
    const metric = ageOf(this.#parsed);
    const onAge = (/** @type {any} */ age) => this.#go({ age });
    const { row, table } = this.state;
    const campaign = data?.summary?.campaign;
    const grain = view.grain ?? (data ? defaultGrain(data) : "minute");
    const [times, ...columns] = columnsOf(data ? bucketsOf(data, grain) : [], grain, COUNTERS);
    const expired = data && campaign?.last_event_at && grain === "minute";
    const pointed = row === null ? undefined : times[row];
    // A zoomed chart keeps its grain, however long the campaign gets.
    const onZoom = (/** @type {Range | null} */ range) => this.#go({ zoom: range, ...(range && { grain }) });
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
            ${pointed !== undefined ? format.bucket(pointed * 1000, grain)
              : zoom ? format.bucket(from * 1000, grain, to * 1000) : text(`timeline.${grain}_span`)}
            ${grain === "day" && !isUtc(format.zone) && html`${" · "}${text("timeline.utc_days", { time: format.dateTime((times[0] ?? 0) * 1000) })}`}
          </p>
          <${ZoneChoice} page=${page} />
          <fieldset class="choice">
            <legend class="visually-hidden">${text("timeline.interval")}</legend>
            ${GRAINS.map((name) => html`
              <label>
                <input type="radio" name="grain" value=${name} checked=${name === grain}
                  onChange=${() => {
                    this.setState({ row: null });
                    this.#go({ grain: name, zoom: null });
                  }} />
                <span>${text(`timeline.${name}`)}</span>
              </label>`)}
          </fieldset>`}
        </div>
        ${problems.length > 0 && html`<${QueryProblems} problems=${problems} onDismiss=${() => this.#go({})} />`}
        ${metric ? html`<div class="by-age"><${AgeView} ...${{ id, data, page, metric, onMetric: onAge }} /></div>` : html`<div class="charts">${PANELS.map((title, index) => html`
          <${Panel} key=${title + grain} title=${text(`timeline.${title}`)} counters=${COUNTERS.slice(index * 3, index * 3 + 3)} grain=${grain} format=${format}
            data=${data} row=${row} hidden=${hidden} zoom=${zoom} onZoom=${onZoom} onToggle=${this.#toggle}
            columns=${[times, ...columns.slice(index * 3, index * 3 + 3)]} onPoint=${onPoint}>
            ${data && data.incidents.size + data.notes.size > 0 && html`<${Marks} ...${{ data, from, to, step, format, repeated: index > 0 }} />`}
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
            ${table && html`<${Table} ...${{ times, columns, counters: COUNTERS, grain, format }} />`}
          </details>`
        : html`<p class="none">
            ${text(!data ? "page.loading" : expired ? "timeline.expired" : "page.no_events")}
          </p>`}`}
        ${!standsAlone() && html`<div class="notes">${data && html`<${NotesView} ...${{ id, data, page, shown: !metric && times.length > 0 ? [from, to] : null }} />`}</div>`}
      </section>`;
  }
}

/** The form for a note suggests the present minute. @param {Props} props */
const minuteOf = ({ page }) => Math.floor(page.now / STEP.minute);

/** A share link has no chart by age. @param {ReturnType<typeof parseView>} parsed */
const ageOf = ({ view }) => (standsAlone() ? null : view.age);
