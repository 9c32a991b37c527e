/** Two to six campaigns side by side: rates, differences to the first one, and curves by age. */

import { Component } from "preact";
import { MOST, chosenOf } from "../chosen.js";
import {
  COMPARED, CURVES, FEWEST, ROWS, ageOf, comparableOf, compareWith, decodeComparison, isChanging, leadOf, shares,
} from "../comparison.js";
import { createPoints } from "../differences.js";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { compareHash, wallHash } from "../leader.js";
import { createAges } from "../line-chart.js";
import { campaignTopic } from "../protocol.js";
import { missingEvent, shownRate } from "../rates.js";
import { Repeated } from "../repeated.js";
import { judgeCampaign } from "../reputation.js";
import { campaignHash } from "../route.js";
import { CampaignChooser } from "./campaign-chooser.js";
import { Definition } from "./definition.js";
import { Heading } from "./heading.js";
import { LineChart, Swatch } from "./line-chart.js";
import { Notice, ServerErrorNotice } from "./notice.js";

/** While numbers change, in milliseconds. */
const EVERY = 30_000;

/**
 * @typedef {import("../comparison.js").Comparison} Comparison
 * @typedef {import("../comparison.js").Compared} Compared
 * @typedef {import("../format.js").Format} Format
 * @typedef {{comparison: Comparison, format: Format, ageLabel: (seconds: number) => string}} Shown
 */

/** A name in a sentence, whose direction may be another one. @param {Compared} one */
const named = ({ id }) => `\u2068${id}\u2069`;

/**
 * `choosing`: whether the campaigns are being chosen.
 * @typedef {{page: import("./app.js").Page, ids: string[]}} Props
 * @extends {Component<Props, {choosing: boolean}>}
 */
export class CompareView extends Component {
  state = { choosing: this.props.ids.length < FEWEST };
  #key = "";
  /** @type {Repeated<Comparison> | null} of the campaigns in the URL; null if they are too few */
  #repeated = null;
  /** @type {Comparison | null} what is shown until other campaigns are loaded */
  #shown = null;
  /** The URL that a button of the table leads to, until it is shown without the button. */
  #next = "";

  componentDidMount() {
    this.#follow();
  }

  componentDidUpdate() {
    this.#follow();
  }

  /** Request the comparison, and again while its numbers change. The page is drawn every second while it is visible. */
  #follow() {
    const { page } = this.props;
    const value = this.#repeated?.value;
    if (page.status.state === "live") this.#repeated?.load(page.now, !value || isChanging(value) ? EVERY : Infinity);
    if (!this.#next || this.#next !== this.#key || this.#shown !== (value ?? null)) return;
    this.#next = "";
    /** @type {HTMLElement | null} */ (document.querySelector(".lead") ?? document.querySelector("h1"))?.focus({ preventScroll: true });
  }

  /** @param {string[]} ids */
  #choose(ids) {
    const key = compareHash(ids) ?? "";
    if (key !== this.#key) {
      this.#key = key;
      this.#repeated = ids.length < FEWEST ? null : new Repeated(
        this.props.page.ask, { action: "compare", ids: ids.map(campaignTopic) }, decodeComparison, () => this.setState({}),
      );
    }
    const { value = null, error = null } = this.#repeated ?? {};
    if (value || error || !this.#repeated) this.#shown = value;
  }

  /** @param {string[]} ids @param {boolean} [replace] whether Back skips the current ones */
  #go = (ids, replace) => this.props.page.go(compareHash(ids) ?? "", replace);

  /** @param {string[]} ids */
  #change = (ids) => {
    this.#next = compareHash(ids) ?? "";
    this.setState({ choosing: this.state.choosing || ids.length < FEWEST });
    this.#go(ids);
  };

  render() {
    const { page, page: { format } } = this.props;
    const { ids, left } = chosenOf(this.props.ids);
    this.#choose(ids);
    const choosing = this.state.choosing || ids.length < FEWEST;
    // The header says that the connection is lost.
    const error = this.#repeated?.error?.code === "offline" ? null : this.#repeated?.error;
    const shown = this.#shown;
    const busy = shown !== null && shown !== this.#repeated?.value;
    const ageLabel = createAges(format.locale);
    return html`
      <a class="back" href="#/">← ${text("page.all_campaigns")}</a>
      <div class="head">
        <${Heading}>${text("compare.title")}<//>
        ${ids.length > 0 && html`<a class="button" href=${wallHash(...ids)}>${text("campaign.wall")}</a>`}
        ${ids.length >= FEWEST && html`
          <button type="button" aria-expanded=${choosing} onClick=${() => this.setState({ choosing: !choosing })}>
            ${text(choosing ? "compare.close" : "compare.choose")}
          </button>`}
      </div>
      ${left.length > 0 && html`<${Notice}>${text("compare.left_out", { most: MOST, names: left.join(", ") })}<//>`}
      ${ids.length < FEWEST && html`<p class="facts">${text(ids.length ? "compare.one_more" : "compare.hint", { most: MOST })}</p>`}
      ${choosing && html`<${CampaignChooser} page=${page} chosen=${ids} onChange=${(/** @type {string[]} */ some) => this.#go(some, true)} />`}
      ${error && html`<${ServerErrorNotice} error=${error} />`}
      ${shown && html`
        <div class="comparison" aria-busy=${busy}>
          <${Lead} ...${{ comparison: shown, format, ageLabel }} />
          <${RatesTable} ...${{ comparison: shown, format, ageLabel }} onChange=${this.#change} />
          <${Curves} ...${{ comparison: shown, format, ageLabel }} />
        </div>`}
      ${!shown && !error && ids.length >= FEWEST && html`<p class="none">${text("page.loading")}</p>`}`;
  }
}

/** What the comparison says, in a sentence. @param {Shown} props */
function Lead({ comparison, format, ageLabel }) {
  const silent = comparison.campaigns.filter(({ counts }) => counts.sends === 0 && counts.deliveries === 0);
  return html`
    <p class="lead" role="status" tabindex="-1">${sentence(comparison, format, ageLabel)}</p>
    ${silent.length > 0 && html`<${Notice}>${text("compare.no_events", { names: silent.map(named).join(", ") })}<//>`}`;
}

/** @param {Comparison} comparison @param {Format} format @param {(seconds: number) => string} ageLabel */
function sentence(comparison, format, ageLabel) {
  const { comparison: comparable, young } = comparableOf(comparison);
  /** @param {string} [said] */
  const complete = (said = "") => (young ? text("compare.at_same_age", { age: ageLabel(Number(comparison.same_age)), said })
    : `${said.charAt(0).toUpperCase()}${said.slice(1)}`);
  if (young && comparison.same_age === null) return text("compare.still_sent");
  const points = createPoints(format.locale);
  const [opens, clicks] = COMPARED.map((rate) => {
    const found = leadOf(comparable, rate);
    if (!found) return null;
    const { best, second, lowest, lead, difference } = found;
    return {
      key: `${rate}_${lead}`, best: named(best), second: named(second), rate: format.percent(best.rates[rate]),
      other: format.percent(second.rates[rate]), lowest: format.percent(lowest.rates[rate]),
      points: points(difference?.difference ?? 0).replace("+", ""),
    };
  });
  if (!opens || !clicks) return text("compare.nothing");
  if (opens.best === clicks.best && opens.key === "human_open_clear" && clicks.key === "human_click_clear") {
    return complete(text("compare.both", { ...opens, click_rate: clicks.rate, click_points: clicks.points, click_second: clicks.second }));
  }
  return complete(`${[opens, clicks].map((one) => text(`compare.${one.key}`, one)).join("; ")}.`);
}

/** The age of a campaign's first email. @param {Compared} one @param {(seconds: number) => string} ageLabel */
const age = (one, ageLabel) => (ageOf(one) ? ageLabel(ageOf(one)) : text("compare.first_minute"));

/** @param {Shown & {onChange: (ids: string[]) => void}} props */
function RatesTable({ comparison, format, ageLabel, onChange }) {
  const { campaigns } = comparison;
  const ids = campaigns.map(({ id }) => id);
  const { comparison: comparable, young } = comparableOf(comparison);
  const same = young && comparison.same_age !== null && ageLabel(comparison.same_age);
  /** @param {string} key @param {any} label @param {(one: Compared, number: number) => any} cell */
  const row = (key, label, cell) => html`
    <tr role="row" key=${key}>
      <th role="rowheader" scope="row">${label}</th>
      ${campaigns.map((one, number) => html`
        <td role="cell" key=${one.id}><span class="whose" aria-hidden="true"><${Swatch} number=${number} /><bdi>${one.id}</bdi></span>${cell(one, number)}</td>`)}
    </tr>`;
  const totals = { ...comparison, differences: young ? [] : comparison.differences };
  /** @param {typeof ROWS[number]} column */
  const rowsOf = (column) => {
    const [rate] = column;
    const isCompared = young !== null && COMPARED.some((one) => one === rate);
    /** @param {string | undefined} label @param {Comparison} from */
    const rowOf = (label, from) => row(`${label}`, html`<${Definition} of=${`rate.${rate}`}>${label}<//>`,
      (_, number) => html`<${Cell} ...${{ column, one: from.campaigns[number], comparison: from, format }} />`);
    return [
      isCompared && same && rowOf(text(`compare.${rate}_after`, { age: same }), comparable),
      rowOf(text(isCompared ? `compare.${rate}_so_far` : `rate_label.${rate}`), totals),
    ];
  };
  return html`
    <section class="panel" aria-labelledby="rates">
      <div class="panel-head">
        <h2 id="rates">${text("compare.rates")}</h2>
        <p class="span">${same ? text("compare.of_same_age", { age: same }) : text("compare.of_totals")}</p>
      </div>
      <table class="compared" role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">${text("compare.rate")}</th>
            ${campaigns.map(({ id }, number) => html`
              <th role="columnheader" scope="col" key=${id}>
                <span class="name"><${Swatch} number=${number} /><a href=${campaignHash(id)} dir="auto">${id}</a></span>
                <span class="actions">
                  ${number === 0 ? html`<span class="badge">${text("compare.reference")}</span>`
                    : html`<button type="button" aria-label=${text("compare.use_as_reference", { name: id })} onClick=${() => onChange([id, ...ids.filter((one) => one !== id)])}>${text("compare.use")}</button>`}
                  <button type="button" aria-label=${text("compare.remove_name", { name: id })} onClick=${() => onChange(ids.filter((one) => one !== id))}>${text("compare.remove")}</button>
                </span>
              </th>`)}
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${row("age", html`<${Definition} of="compare.age_help">${text("compare.age")}<//>`, (one) => html`<b>${one.counts.sends || one.counts.deliveries ? age(one, ageLabel) : "–"}</b>`)}
          ${ROWS.map(rowsOf)}
        </tbody>
      </table>
      <p class="foot">${text("compare.about")} <${Definition} of="compare.interval">${text("compare.what")}<//></p>
    </section>`;
}

/** @param {{column: typeof ROWS[number], one: Compared, comparison: Comparison, format: Format}} props */
function Cell({ column: [rate, counter, digits], one, comparison, format }) {
  const reference = /** @type {Compared} */ (comparison.campaigns[0]);
  const { level } = rate === "bounce" || rate === "complaint" ? judgeCampaign(rate, one.counts) : { level: "ok" };
  const missing = rate !== "human_click_to_open" && missingEvent(rate, one);
  const difference = compareWith(comparison, rate, one, reference);
  const points = createPoints(format.locale);
  return html`
    <span class=${level}>
      <b class="rate">${format.percent(shownRate(rate, one), digits)}</b> <span class="of">${format.count(one.counts[counter])}</span>
      ${level !== "ok" && html`<span class="verdict">${text(`list.${level}`)}</span>`}
      ${missing && html`<span class="foot">${text("campaign.missing", { event: missing })}</span>`}
    </span>
    ${difference && html`
      <span class=${`difference ${difference.verdict}`}>
        <span>${text("compare.points", { points: points(difference.difference) })}</span>${" "}
        <span class="of">${text("compare.from_to", { low: points(difference.low, difference.difference), high: points(difference.high, difference.difference) })}</span>
        <span class="judged">${text(`compare.${difference.verdict}`)}</span>
      </span>`}`;
}

/**
 * @extends {Component<Shown, {metric: typeof CURVES[number], row: number | null, table: boolean}>}
 */
class Curves extends Component {
  /** @type {{metric: typeof CURVES[number], row: number | null, table: boolean}} */
  state = { metric: "human_opens", row: null, table: false };

  /** @param {Shown} props @param {any} state */
  shouldComponentUpdate(props, state) {
    return props.comparison !== this.props.comparison || props.format !== this.props.format || state !== this.state;
  }

  render() {
    const { comparison: { campaigns }, format, ageLabel } = this.props;
    const { metric, row, table } = this.state;
    const ages = campaigns.map(({ curve }) => curve.ages).reduce((a, b) => (b.length > a.length ? b : a), []);
    const series = campaigns.map((one) => shares(one, metric));
    const pointed = row === null ? undefined : ages[row];
    return html`
      <section class="panel" aria-labelledby="ages">
        <div class="panel-head">
          <h2 id="ages">${text("compare.by_age")}</h2>
          <p class="span">${pointed === undefined ? text("compare.of_delivered") : text("compare.after", { age: ageLabel(pointed) })}</p>
          <fieldset class="choice">
            <legend class="visually-hidden">${text("compare.metric")}</legend>
            ${CURVES.map((name) => html`
              <label>
                <input type="radio" name="metric" value=${name} checked=${name === metric} onChange=${() => this.setState({ metric: name })} />
                <span>${text(`label.${name}`)}</span>
              </label>`)}
          </fieldset>
        </div>
        ${ages.length > 0 ? html`
          <div class="chart">
            <ul class="legend">
              ${campaigns.map(({ id }, number) => html`
                <li key=${id}><${Swatch} number=${number} /><bdi>${id}</bdi> <b>${row === null ? "" : format.percent(series[number]?.[row] ?? null)}</b></li>`)}
            </ul>
            <${LineChart} ...${{ ages, series, row, format, ageLabel }} onPoint=${(/** @type {number | null} */ at) => at !== row && this.setState({ row: at })} />
          </div>
          <p class="foot">${text("compare.curve")}</p>
          <details open=${table}>
            <summary onClick=${(/** @type {Event} */ event) => {
              event.preventDefault();
              this.setState({ table: !table });
            }}>${text("timeline.table")}</summary>
            ${table && html`<${CurveTable} ...${{ ages, series, campaigns, metric, format, ageLabel }} />`}
          </details>` : html`<p class="none">${text("page.no_events")}</p>`}
      </section>`;
  }
}

/**
 * @param {{ages: number[], series: number[][], campaigns: Compared[], metric: string, format: Format,
 *          ageLabel: (seconds: number) => string}} props
 */
function CurveTable({ ages, series, campaigns, metric, format, ageLabel }) {
  return html`
    <div class="scroll" tabindex="0" role="group" aria-label=${text("compare.table_label")}>
      <table>
        <caption class="visually-hidden">${text(`label.${metric}`)}: ${text("compare.of_delivered")}</caption>
        <thead><tr>
          <th scope="col">${text("compare.age")}</th>
          ${campaigns.map(({ id }) => html`<th scope="col" class="number" key=${id}><bdi>${id}</bdi></th>`)}
        </tr></thead>
        <tbody>
          ${ages.map((seconds, row) => html`
            <tr key=${seconds}>
              <th scope="row">${ageLabel(seconds)}</th>
              ${series.map((one) => html`<td class="number">${format.percent(one[row] ?? null)}</td>`)}
            </tr>`)}
        </tbody>
      </table>
    </div>`;
}
