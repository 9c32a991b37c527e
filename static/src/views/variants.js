/** The variants of a campaign side by side, one table per message tag, and which one is the best. */

import { Component, createRef } from "preact";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { campaignTopic } from "../protocol.js";
import { Repeated } from "../repeated.js";
import { COLUMNS, LEAST_DELIVERIES, decodeJudgement, fewestOf, probabilitiesOf, tablesOf } from "../variants.js";
import { Definition } from "./definition.js";

/** While the numbers change and the panel is on the screen, in milliseconds. */
const EVERY = 15_000;

/**
 * @typedef {import("../variants.js").Table} Table
 * @typedef {import("../variants.js").Judgement} Judgement
 * @typedef {import("../format.js").Format} Format
 */

/** A value in a sentence, whose direction may be another one. @param {string} value */
const named = (value) => `“\u2068${value}\u2069”`;

/**
 * @typedef {{id: string, page: import("./app.js").Page, data: import("../state.js").CampaignData, report?: boolean}} Props
 *   `report`: whether it is needed although it is not on the screen
 * @extends {Component<Props, {onScreen: boolean}>}
 */
export class VariantsView extends Component {
  state = { onScreen: false };
  /** @type {import("preact").RefObject<HTMLElement | null>} */
  #element = createRef();
  #watching = new IntersectionObserver((seen) => this.setState({ onScreen: Boolean(seen.at(-1)?.isIntersecting) }));
  /** @type {Map<string, Repeated<Judgement>>} by tag */
  #judgements = new Map();

  componentDidMount() {
    if (this.#element.current) this.#watching.observe(this.#element.current);
    if (this.props.report) this.setState({});
  }

  componentWillUnmount() {
    this.#watching.disconnect();
  }

  componentDidUpdate() {
    const { id, data, page, report } = this.props;
    if (!(this.state.onScreen || report) || page.status.state !== "live") return;
    for (const { tag, comparable, version } of tablesOf(data)) {
      if (!comparable) continue;
      const judgement = this.#judgements.get(tag) ?? new Repeated(
        page.ask, { action: "compareVariants", id: campaignTopic(id), tag }, decodeJudgement, () => this.setState({}),
      );
      this.#judgements.set(tag, judgement);
      judgement.load(page.now, EVERY, version);
    }
  }

  render() {
    const { data, page: { format, status } } = this.props;
    const hasEnded = status.state === "ended";
    const tables = tablesOf(data);
    return html`
      <section class="panel" aria-labelledby="variants" ref=${this.#element}>
        <h2 id="variants">${text("variants.title")}</h2>
        ${tables.map((table) => html`<${TagTable} key=${table.tag} ...${{ table, format, hasEnded }} repeated=${this.#judgements.get(table.tag)} />`)}
        <p class="foot">
          ${text("variants.peeking")} <${Definition} of="variants.probability_help">${text("variants.what")}<//>
        </p>
      </section>`;
  }
}

/**
 * @param {{table: Table, repeated: Repeated<Judgement> | undefined, format: Format, hasEnded: boolean}} props `hasEnded`:
 *   whether the page is disconnected for good
 */
function TagTable({ table: { tag, rows, comparable }, repeated, format, hasEnded }) {
  const judgement = repeated?.value ?? null;
  const error = repeated?.error;
  const probabilities = judgement ? probabilitiesOf(judgement) : new Map();
  return html`
    <div class="of-tag">
      <h3>${text("variants.tag")} <code>${tag}</code></h3>
      <p class="verdict-of-tag" role="status" aria-busy=${comparable && !judgement && !error}>
        ${!comparable ? text("variants.one") : judgement ? sentence(judgement, format) : error || hasEnded ? "" : text("page.loading")}
        ${error && html`<span class="foot">${text("variants.failed", { reason: error.message })} ${repeated?.retryable && !hasEnded && text("page.retrying")}</span>`}
      </p>
      <table class="links variants" role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">${text("variants.value")}</th>
            ${COLUMNS.map(([rate]) => html`
              <th role="columnheader" scope="col" class="number" key=${rate}>${text(`rate_label.${rate}`)}</th>`)}
            <th role="columnheader" scope="col" class="number">${text("variants.probability")}</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${rows.map(({ value, rest, counts, rates }) => html`
            <tr role="row" key=${rest ? "" : `=${value}`}>
              <th role="rowheader" scope="row">
                ${rest ? text("variants.rest") : html`<bdi>${value}</bdi>`}
                ${!rest && value === judgement?.best && html`<span class="badge">${text("variants.best")}</span>`}
              </th>
              ${COLUMNS.map(([rate, counter]) => html`
                <td role="cell" class="number" key=${rate} data-label=${text(`rate_label.${rate}`)}>
                  ${format.percent(rates[rate])}<span class="of">${format.count(counts[counter])}</span>
                </td>`)}
              <td role="cell" class="number" data-label=${text("variants.probability")}>
                ${rest ? "" : format.percent(probabilities.get(value) ?? null)}
              </td>
            </tr>`)}
        </tbody>
      </table>
    </div>`;
}

/** @param {Judgement} judgement @param {Format} format */
function sentence(judgement, format) {
  const [leader] = probabilitiesOf(judgement);
  if (leader && judgement.verdict !== "too_few") {
    const [value, highest] = leader;
    const shown = format.percent(highest);
    const probability = shown.startsWith(">") ? text("variants.more_than", { probability: shown.slice(1) }) : shown;
    return text(judgement.best !== null ? "variants.decided" : "variants.too_early", { value: named(value), probability });
  }
  const fewest = fewestOf(judgement);
  return fewest && text("variants.too_few", {
    value: named(fewest.value), count: format.count(fewest.deliveries), needed: format.count(LEAST_DELIVERIES),
  });
}
