/** The sparkline of a campaign: one counter over time. Pure. */

import { STEP } from "./state.js";

/** Size in pixels. */
export const WIDTH = 120;
export const HEIGHT = 28;

/**
 * @param {import("./protocol.js").CampaignTimeline} timeline
 * @param {"deliveries" | "human_opens"} counter
 * @returns {string} an SVG path of bars; "" without data
 */
export function bars({ buckets, resolution }, counter) {
  const first = buckets[0];
  const last = buckets.at(-1);
  const most = Math.max(0, ...buckets.map((bucket) => bucket[counter]));
  if (!first || !last || most === 0) return "";
  const step = STEP[resolution];
  const columns = Math.max(12, Math.round((last.at - first.at) / step) + 1);
  const wide = WIDTH / columns;
  const drawn = buckets.filter((bucket) => bucket[counter] > 0).map((bucket) => {
    const x = Math.round((bucket.at - first.at) / step) * wide;
    const high = Math.max(1.5, (bucket[counter] / most) * HEIGHT);
    return `M${round(x)},${HEIGHT}v${round(-high)}h${round(Math.max(1, wide * 0.85))}v${round(high)}z`;
  });
  return drawn.join("");
}

/** @param {number} value */
const round = (value) => Math.round(value * 100) / 100;
