/**
 * The timeline's buckets as columns for a chart: one row per minute, hour, or day, gaps filled
 * with 0. Pure.
 */

import { STEP } from "./state.js";

/**
 * @typedef {import("./protocol.js").Bucket} Bucket
 * @typedef {import("./protocol.js").Counter} Counter
 * @typedef {import("./protocol.js").Grain} Grain
 */

/**
 * @param {Bucket[]} buckets oldest first
 * @param {Grain} grain
 * @param {readonly Counter[]} counters one column each
 * @returns {[number[], ...number[][]]} first the rows' starts in seconds since 1970, from the first
 *   bucket to the last, then the columns
 */
export function columnsOf(buckets, grain, counters) {
  const last = buckets.at(-1);
  const first = buckets[0];
  if (!first || !last) return [[], ...counters.map(() => [])];
  const step = STEP[grain];
  const rows = Math.round((last.at - first.at) / step) + 1;
  const columns = counters.map(() => new Array(rows).fill(0));
  for (const bucket of buckets) {
    const row = Math.round((bucket.at - first.at) / step);
    counters.forEach((counter, column) => {
      /** @type {number[]} */ (columns[column])[row] = bucket.counts[counter] ?? 0;
    });
  }
  return [Array.from({ length: rows }, (_, row) => (first.at + row * step) / 1000), ...columns];
}
