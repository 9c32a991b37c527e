/** How the numbers came in: by minute, hour or day. */

import { Component } from "preact";
import { download } from "../csv.js";
import { html } from "../html.js";
import { GRAINS } from "../protocol.js";
import { columnsOf } from "../series.js";
import { STEP } from "../state.js";
import { bucketsOf, defaultGrain } from "../select.js";
import { Panel } from "./panel.js";

/**
 * @typedef {import("../protocol.js").Counter} Counter
 * @typedef {import("../protocol.js").Grain} Grain
 * @typedef {import("../format.js").Format} Format
 * @typedef {{counter: Counter, label: string, color: string, fill?: boolean}} Series color: a
 *   custom property of the style sheet
 */

/** Two charts, each with its own scale: a thousand sends would flatten ten clicks. */
const PANELS = /** @type {{title: string, series: Series[]}[]} */ ([
  { title: "Sending", series: [
    { counter: "sends", label: "Sent", color: "--sent" },
    { counter: "deliveries", label: "Delivered", color: "--delivered", fill: true },
    { counter: "hard_bounces", label: "Hard bounces", color: "--bad" },
  ] },
  { title: "Engagement", series: [
    { counter: "opens", label: "All opens", color: "--machines", fill: true },
    { counter: "human_opens", label: "Opens by people", color: "--people", fill: true },
    { counter: "clicks", label: "Clicks", color: "--clicks" },
  ] },
]);
const SERIES = PANELS.flatMap((panel) => panel.series);
const COUNTERS = SERIES.map((series) => series.counter);
const LABELS = { minute: "Minutes", hour: "Hours", day: "Days" };
const SPANS = { minute: "last 2 hours of activity", hour: "last 3 days of activity", day: "since it started" };

/**
 * @typedef {{id: string, data: import("../state.js").CampaignData | null, format: Format}} Props
 *   `data`: null while nothing is known
 * @typedef {{grain: Grain | null, row: number | null, table: boolean, hidden: Counter[],
 *            zoom: import("./chart.js").Range | null}} State `grain`, `hidden` and `zoom` as chosen
 *   by the reader, `row` where the pointer is
 * @extends {Component<Props, State>}
 */
export class TimelineView extends Component {
  /** @type {State} */
  state = { grain: null, row: null, table: false, hidden: [], zoom: null };

  /** @param {Props} props @param {State} state */
  shouldComponentUpdate(props, state) {
    return props.data !== this.props.data || state !== this.state;
  }

  render() {
    const { id, data, format } = this.props;
    const { row, table, hidden, zoom } = this.state;
    const campaign = data?.summary?.campaign;
    const grain = this.state.grain ?? (data ? defaultGrain(data) : "minute");
    const [times, ...columns] = columnsOf(data ? bucketsOf(data, grain) : [], grain, COUNTERS);
    const expired = data && campaign?.last_event_at && grain === "minute";
    const pointed = row === null ? undefined : times[row];
    // What is zoomed into keeps its grain, however long the campaign gets.
    const onZoom = (/** @type {State["zoom"]} */ range) => this.setState({ zoom: range, ...(range && { grain }) });
    const onToggle = (/** @type {any} */ counter) => this.setState({
      hidden: hidden.includes(counter) ? hidden.filter((one) => one !== counter) : [...hidden, counter],
    });
    const [from = 0, to = 0] = zoom ?? [times[0], times.at(-1)];
    // The later half: where it happens.
    const zoomIn = () => onZoom([(from + to) / 2, to]);
    const save = () => download(`${id} by ${grain}`, [["from", ...COUNTERS], ...times.map(
      (at, index) => [new Date(at * 1000).toISOString(), ...columns.map((column) => column[index])],
    )]);
    const onPoint = (/** @type {number | null} */ at) => {
      if (at !== this.state.row) this.setState({ row: at });
    };
    return html`
      <section class="panel" aria-labelledby="timeline">
        <div class="panel-head">
          <h2 id="timeline">Timeline</h2>
          <p class="span">
            ${pointed === undefined ? SPANS[grain] : moment(pointed, grain, format)}
            ${" · "}${grain === "day" ? "days in UTC" : `times in ${format.zone}`}
          </p>
          <fieldset class="choice">
            <legend class="visually-hidden">One point is</legend>
            ${GRAINS.map((name) => html`
              <label>
                <input type="radio" name="grain" value=${name} checked=${name === grain}
                  onChange=${() => this.setState({ grain: name, row: null, zoom: null })} />
                <span>${LABELS[name]}</span>
              </label>`)}
          </fieldset>
        </div>
        ${PANELS.map(({ title, series }, index) => html`
          <${Panel} key=${title + grain} title=${title} series=${series} grain=${grain} format=${format}
            data=${data} row=${row} hidden=${hidden} zoom=${zoom} onZoom=${onZoom} onToggle=${onToggle}
            columns=${[times, ...columns.slice(index * 3, index * 3 + 3)]} onPoint=${onPoint} />`)}
        ${times.length > 0 ? html`
          <p class="tools">
            <button type="button" onClick=${zoomIn} disabled=${(to - from) * 1000 < 4 * STEP[grain]}>Zoom in</button>
            <button type="button" onClick=${() => onZoom(null)} disabled=${!zoom}>Show all</button>
            <button type="button" onClick=${save}>Download CSV</button>
            <span class="span">Drag over a chart to zoom.</span>
          </p>
          <details open=${table}>
            <summary onClick=${(/** @type {Event} */ event) => {
              event.preventDefault();
              this.setState({ table: !table });
            }}>Show as a table</summary>
            ${table && html`<${Table} times=${times} columns=${columns} grain=${grain} format=${format} />`}
          </details>`
        : html`<p class="none">
            ${expired && "Single minutes are kept for two days. Hours and days tell more about this campaign."}
            ${data && !expired && "Nothing happened yet."}
            ${!data && "Loading…"}
          </p>`}
      </section>`;
  }
}

/** @param {{times: number[], columns: number[][], grain: Grain, format: Format}} props */
function Table({ times, columns, grain, format }) {
  const rows = times.map((_, row) => row).filter((row) => columns.some((column) => column[row])).reverse();
  return html`
    <div class="scroll" tabindex="0" role="group" aria-label="Timeline as a table">
      <table>
        <thead><tr>
          <th scope="col">Time</th>
          ${SERIES.map(({ label }) => html`<th scope="col" class="number">${label}</th>`)}
        </tr></thead>
        <tbody>
          ${rows.map((row) => html`
            <tr key=${times[row]}>
              <th scope="row">${moment(times[row] ?? 0, grain, format)}</th>
              ${columns.map((column) => html`<td class="number">${format.count(column[row] ?? 0)}</td>`)}
            </tr>`)}
        </tbody>
      </table>
    </div>`;
}

/** @param {number} at in seconds @param {Grain} grain @param {Format} format */
const moment = (at, grain, format) => (grain === "day" ? format.utcDay : format.dateTime)(at * 1000);
