/** How a campaign does for the age of its emails, compared with earlier ones, and what to expect. */

import { text } from "../glossary.js";
import { html } from "../html.js";

/**
 * @typedef {import("../protocol.js").Pace} PaceOf
 * @typedef {import("../format.js").Format} Format
 */

/** @param {PaceOf | null | undefined} pace */
const isCompared = (pace) => pace && pace.needed === null && (pace.human_opens || pace.human_clicks);

/**
 * @param {{metric: "human_opens" | "human_clicks", pace: PaceOf | null | undefined, deliveries: number | undefined,
 *          format: Format, children?: import("../html.js").Markup}} props `deliveries`: of which the forecast is a share;
 *   `children` stand for a comparison if there is none
 */
export function Pace({ metric, pace, deliveries, format, children }) {
  if (!pace || !isCompared(pace)) return html`<div class="pace">${children}</div>`;
  const now = pace[metric];
  const [next] = pace.forecast.filter((one) => one[metric]);
  const expected = next?.[metric];
  /** @param {number} count */
  const share = (count) => format.percent(deliveries ? Math.min(1, count / deliveries) : null);
  return html`
    <div class="pace">
      <p class=${now ? `ratio ${levelOf(now)}` : "ratio"}><b title=${text("pace.compared", { count: format.count(pace.campaigns) })}>
        ${now ? verdict(now, format) : text("pace.not_yet")}</b></p>
      ${now && html`<p class="foot">${text(`pace.${metric}`, { low: format.count(now.low), high: format.count(now.high) })}</p>`}
      ${next && expected && html`
        <p class="foot">${text(`pace.after_${next.hours}`, { expected: share(expected.expected), low: share(expected.low), high: share(expected.high) })}</p>`}
    </div>`;
}

/** Why there is no comparison. @param {{pace: PaceOf | null | undefined, loading: boolean, format: Format}} props */
export function Silence({ pace, loading, format }) {
  if (loading) return null;
  return html`<p class="foot">${silence(pace ?? null, format)}</p>`;
}

/** @param {PaceOf | null} pace @param {Format} format */
function silence(pace, format) {
  if (!pace) return text("pace.none");
  if (pace.needed === null) return text("pace.too_early");
  return text("pace.too_few", { count: format.count(pace.campaigns), needed: format.count(pace.needed) });
}

/** @param {{actual: number, low: number, high: number}} now */
export const levelOf = ({ actual, low, high }) => (actual > high ? "above" : actual < low ? "below" : "usual");

/** @param {{actual: number, expected: number, low: number, high: number}} now @param {Format} format */
export function verdict(now, format) {
  const level = levelOf(now);
  return text(`pace.${level}`, { ratio: now.expected > 0 ? format.ratio(now.actual / now.expected) : "" });
}
