/** The sums of several campaigns. Pure. */

import { COUNTERS } from "./protocol.js";
import { ratesOf } from "./rates.js";

/** @typedef {Pick<import("./protocol.js").Sums, "counts"> & {rates: Partial<import("./protocol.js").Rates>}} Sums */

/**
 * @param {readonly import("./protocol.js").Summary[]} campaigns
 * @returns {Sums} a counter is null if it is unknown for one of the campaigns
 */
export function sumOf(campaigns) {
  const counts = /** @type {import("./protocol.js").Totals} */ (Object.fromEntries(COUNTERS.map((name) => [name, campaigns.reduce(
    (sum, one) => (sum === null || one.counts[name] === null ? null : sum + Number(one.counts[name])), /** @type {number | null} */ (0),
  )])));
  return { counts, rates: ratesOf(counts) };
}

/** Whether an earlier release counted some of a campaign, so that some of its numbers are unknown. @param {{counts: {readers: number | null}}} one */
export const isOfEarlierRelease = ({ counts }) => counts.readers === null;
