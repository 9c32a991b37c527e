/** How a campaign does for the age of its emails, compared with earlier ones, and what to expect. */

import { text } from "../glossary.js";
import { html } from "../html.js";

const METRICS = /** @type {const} */ (["human_opens", "human_clicks"]);

/**
 * @typedef {import("../protocol.js").Pace} Pace
 * @typedef {import("../format.js").Format} Format
 */

/**
 * @param {{pace: Pace | null, loading: boolean, deliveries: number | undefined, format: Format}} props
 *   `pace`: null until it is first computed; `deliveries`: of which the forecast is a share
 */
export function PaceView({ pace, loading, deliveries, format }) {
  const compared = pace !== null && pace.needed === null && METRICS.some((metric) => pace[metric]);
  return html`
    <section class="panel pace" aria-labelledby="pace">
      <h2 id="pace">${text("pace.title")}</h2>
      ${compared && html`
        <div class="paces">
          ${METRICS.map((metric) => html`<${Metric} key=${metric} metric=${metric} ...${{ pace, deliveries, format }} />`)}
        </div>
        <p class="foot">${text("pace.compared", { count: format.count(pace.campaigns) })}</p>`}
      ${!compared && html`<p class="none">${loading ? text("page.loading") : silence(pace, format)}</p>`}
    </section>`;
}

/** @param {Pace | null} pace @param {Format} format */
function silence(pace, format) {
  if (!pace) return text("pace.none");
  if (pace.needed === null) return text("pace.too_early");
  return text("pace.too_few", { count: format.count(pace.campaigns), needed: format.count(pace.needed) });
}

/** @param {{metric: typeof METRICS[number], pace: Pace, deliveries: number | undefined, format: Format}} props */
function Metric({ metric, pace, deliveries, format }) {
  const now = pace[metric];
  const [next] = pace.forecast.filter((one) => one[metric]);
  const expected = next?.[metric];
  return html`
    <div>
      <p class="who">${text(`pace.${metric}`)}</p>
      <p class="big">${now ? verdict(now, format) : text("pace.not_yet")}</p>
      ${now && html`
        <p>${text("pace.so_far", { actual: format.count(now.actual), low: format.count(now.low), high: format.count(now.high) })}</p>`}
      ${next && expected && html`
        <p class="foot">${text(`pace.after_${next.hours}`, {
          expected: format.count(expected.expected), low: format.count(expected.low), high: format.count(expected.high),
          share: format.percent(deliveries ? Math.min(1, expected.expected / deliveries) : null),
        })}</p>`}
    </div>`;
}

/** @param {{actual: number, expected: number, low: number, high: number}} now @param {Format} format */
export function verdict({ actual, expected, low, high }, format) {
  if (low <= actual && actual <= high) return text("pace.usual");
  const ratio = expected > 0 ? format.ratio(actual / expected) : "";
  return text(actual > high ? "pace.above" : "pace.below", { ratio });
}
