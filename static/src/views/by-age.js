/** One campaign by its age, over what is usual for earlier campaigns. */

import { Component } from "preact";
import { createAxisFormat } from "../axis.js";
import { AGES, METRICS, comparisonOf, countAt, layoutOf, lineOf, valueAt } from "../by-age.js";
import { download } from "../csv.js";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { UsualFeed } from "../usual.js";
import { Measured } from "./measured.js";
import { Notice } from "./notice.js";

/**
 * @typedef {import("../by-age.js").Metric} Metric
 * @typedef {import("../by-age.js").Line} Line
 * @typedef {import("../usual.js").Usual} Usual
 * @typedef {import("../format.js").Format} Format
 */

/** Fewer expected emails are too few to compare with, as in a pace. */
const LEAST_EXPECTED = 5;

/**
 * @typedef {{id: string, data: import("../state.js").CampaignData | null, page: import("./app.js").Page,
 *            metric: Metric, onMetric: (metric: Metric) => void}} Props
 * @extends {Component<Props, {at: number | null, table: boolean}>} `at`: the age at the pointer
 */
export class AgeView extends Component {
  state = { at: /** @type {number | null} */ (null), table: false };
  #feed = new UsualFeed((request, onResult) => this.props.page.ask(request, onResult), () => this.setState({}));

  componentDidMount() {
    this.componentDidUpdate();
  }

  componentDidUpdate() {
    const { id, data, page } = this.props;
    if (data && page.status.state === "live") this.#feed.follow(id, data.pace?.version ?? null);
  }

  componentWillUnmount() {
    this.#feed.stop();
  }

  render() {
    const { id, data, page: { format, now }, metric, onMetric } = this.props;
    const { at, table } = this.state;
    const { usual, error } = this.#feed;
    const line = data ? lineOf(data, metric, now) : [];
    const counts = usual?.[metric];
    const rows = (usual?.ages.length ? usual.ages : AGES).map((age, index) => ({
      age, actual: countAt(line, age),
      low: counts?.low[index], expected: counts?.expected[index], high: counts?.high[index],
    }));
    const save = () => download(`${id} by age`, [["age_seconds", metric, "low", "expected", "high"], ...rows.map(
      ({ age, actual, low, expected, high }) => [age, actual === null ? "" : Math.round(actual), low ?? "", expected ?? "", high ?? ""],
    )]);
    return html`
      <div class="age-head">
        <p class="said">${said(usual, metric, line, format) ?? (data && !error ? "\u00a0" : "")}</p>
        <fieldset class="choice">
          <legend class="visually-hidden">${text("by_age.show")}</legend>
          ${METRICS.map((name) => html`
            <label>
              <input type="radio" name="metric" value=${name} checked=${name === metric} onChange=${() => onMetric(name)} />
              <span>${text(`label.${name}`)}</span>
            </label>`)}
        </fieldset>
      </div>
      ${error && !usual && html`<${Notice}>${text("by_age.failed", { reason: error.message })}<//>`}
      <div class="chart">
        <${Legend} ...${{ usual, metric, line, at, format }} />
        <${AgeChart} ...${{ usual, metric, line, at, format }} onPoint=${(/** @type {number | null} */ age) => this.setState({ at: age })} />
      </div>
      <p class="tools">
        <button type="button" onClick=${save} disabled=${line.length === 0}>${text("page.download")}</button>
        <span class="span">${text("by_age.hint")}</span>
      </p>
      <details open=${table}>
        <summary onClick=${(/** @type {Event} */ event) => {
          event.preventDefault();
          this.setState({ table: !table });
        }}>${text("timeline.table")}</summary>
        ${table && html`<${Table} rows=${rows} metric=${metric} format=${format} />`}
      </details>`;
  }
}

/**
 * The one sentence about a campaign, undefined until it is loaded.
 * @param {Usual | null} usual @param {Metric} metric @param {Line} line @param {Format} format
 */
function said(usual, metric, line, format) {
  if (!usual) return undefined;
  if (usual.needed !== null) {
    return text("by_age.too_few", { count: format.count(usual.campaigns), needed: format.count(usual.needed) });
  }
  if (usual.campaigns === null) return text("pace.none");
  const found = comparisonOf(usual, metric, line);
  if (!found || found.expected < LEAST_EXPECTED) return text("pace.too_early");
  const { age, actual, expected, low, high } = found;
  const isUsual = Math.round(low) <= actual && actual <= Math.round(high);
  return text(isUsual ? "by_age.usual" : "by_age.ratio", {
    ratio: format.ratio(actual / expected), age: ageText(age, format), actual: whole(actual, format),
    low: whole(low, format), high: whole(high, format),
  });
}

/** @param {number | null | undefined} value @param {Format} format */
const whole = (value, format) => format.count(typeof value === "number" ? Math.round(value) : null);

/** Such as "42 min", "3 h 20 min", "2 days". @param {number} seconds @param {Format} format */
export function ageText(seconds, format) {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const parts = days ? [[days, days === 1 ? "day" : "days"], [hours % 24, "hours"]]
    : hours ? [[hours, "hours"], [minutes % 60, "minutes"]]
      : [[minutes, "minutes"]];
  return parts.filter(([value], index) => value || index === 0)
    .map(([value, unit]) => text(`age.${unit}`, { count: format.count(Number(value)) })).join(" ");
}

/** @param {{usual: Usual | null, metric: Metric, line: Line, at: number | null, format: Format}} props */
function Legend({ usual, metric, line, at, format }) {
  const counts = usual?.[metric];
  /** @param {number[] | undefined} values */
  const value = (values) => (at !== null && usual && values ? whole(valueAt(usual.ages, values, at), format) : null);
  return html`
    <div class="legend">
      <span><i class=${`line ${metric}`}></i>${text("by_age.this")}${at !== null && html`<b>${whole(countAt(line, at), format)}</b>`}</span>
      ${counts && html`
        <span><i class=${`line band ${metric}`}></i>${text("by_age.band", { count: format.count(usual?.campaigns) })}${at !== null && html`<b>${text("by_age.range", { low: value(counts.low), high: value(counts.high) })}</b>`}</span>
        <span><i class="line expected"></i>${text("by_age.expected")}${at !== null && html`<b>${value(counts.expected)}</b>`}</span>`}
      <span class="at">${at === null ? "\u00a0" : text("by_age.at", { age: ageText(at, format) })}</span>
    </div>`;
}

/** @param {{rows: {age: number, actual: number | null, low?: number, expected?: number, high?: number}[], metric: Metric, format: Format}} props */
function Table({ rows, metric, format }) {
  return html`
    <div class="scroll" tabindex="0" role="group" aria-label=${text("by_age.table_label")}>
      <table>
        <thead><tr>
          <th scope="col">${text("by_age.age")}</th>
          <th scope="col" class="number">${text(`label.${metric}`)}</th>
          <th scope="col" class="number">${text("by_age.expected")}</th>
          <th scope="col" class="number">${text("by_age.usually")}</th>
        </tr></thead>
        <tbody>
          ${rows.map(({ age, actual, low, expected, high }) => html`
            <tr key=${age}>
              <th scope="row">${ageText(age, format)}</th>
              <td class="number">${whole(actual, format)}</td>
              <td class="number">${whole(expected, format)}</td>
              <td class="number">${low === undefined ? whole(null, format) : text("by_age.range", { low: whole(low, format), high: whole(high, format) })}</td>
            </tr>`)}
        </tbody>
      </table>
    </div>`;
}

/**
 * @extends {Measured<{usual: Usual | null, metric: Metric, line: Line, at: number | null, format: Format,
 *   onPoint: (age: number | null) => void}>}
 */
class AgeChart extends Measured {
  #axis = createAxisFormat(this.props.format.locale);
  /** @type {ReturnType<typeof layoutOf> | null} */
  #layout = null;

  /** @param {PointerEvent} event */
  #move = (event) => this.props.onPoint(this.#layout?.ageAt(this.leftOf(event)) ?? null);

  render() {
    const { usual, metric, line, at, format, onPoint } = this.props;
    const { width, height, em } = this.state;
    const layout = width > 0 ? layoutOf({ line, usual, metric, width, height, em, count: this.#axis.count }) : null;
    this.#layout = layout;
    return html`
      <div class="plot by-age" ref=${this.element} aria-hidden="true" onPointerMove=${this.#move} onPointerDown=${this.#move}
        onPointerLeave=${() => onPoint(null)}>
        ${layout && html`
          <svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`}>
            ${layout.lines.map(({ y, label }) => html`
              <line class="grid" x1=${layout.left} x2=${width} y1=${y} y2=${y} />
              <text x=${layout.left - em / 2} y=${y} dy=".32em" text-anchor="end">${label}</text>`)}
            ${layout.band && html`<path class=${`band ${metric}`} d=${layout.band} />`}
            ${layout.expected && html`<path class="expected" d=${layout.expected} />`}
            ${at !== null && html`<line class="at" x1=${layout.xOf(at)} x2=${layout.xOf(at)} y1="0" y2=${layout.bottom} />`}
            ${layout.line && html`<path class=${`course ${metric}`} d=${layout.line} />`}
            ${layout.end && html`<circle class=${metric} cx=${layout.end.x} cy=${layout.end.y} r=${em / 3} />`}
            ${layout.ticks.map(({ age, x }) => {
              const label = ageText(age, format);
              return html`
                <line class="grid" x1=${x} x2=${x} y1=${layout.bottom} y2=${layout.bottom + em / 3} />
                <text x=${Math.min(x, width - label.length * 0.28 * em)} y=${height - em / 3} text-anchor="middle">${label}</text>`;
            })}
          </svg>`}
      </div>`;
  }
}
