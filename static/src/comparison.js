/** What a comparison of campaigns says: which one leads, how clearly, and at what age. Pure. */

import { differenceOf, differences, isClear } from "./differences.js";
import { counts, rates } from "./protocol.js";
import { count, list, optional, shape, string } from "./validate.js";

/** A comparison has at least this many campaigns. */
export const FEWEST = 2;

const DAY = 86_400;

/** Until this age of its first email, a campaign's rates may still rise, in seconds: others are compared at its age. */
const SETTLED = 3 * DAY;

/** While a campaign is younger, the comparison is refreshed, in seconds. */
const CHANGING = 7 * DAY;

/** The rates whose differences the server compares. */
export const COMPARED = /** @type {const} */ (["human_open", "human_click"]);

/** The curves by age, and the rate that each leads to. */
export const CURVES = /** @type {const} */ (["human_opens", "human_clicks"]);

/** The rows of the table: the rate and its counter, and the digits of the rate. */
export const ROWS = /** @type {const} */ ([
  ["delivery", "deliveries", 1],
  ["human_open", "unique_human_opens", 1],
  ["human_click", "unique_human_clicks", 1],
  ["human_click_to_open", "unique_human_clicks", 1],
  ["bounce", "hard_bounces", 1],
  ["complaint", "complaints", 2],
  ["unsubscribe", "unsubscribes", 2],
]);

const body = shape({
  campaigns: list(shape({
    id: string, counts, rates, curve: shape({ ages: list(count), human_opens: list(count), human_clicks: list(count) }),
  })),
  same_age: optional(count),
  differences: differences("ids"),
});

/**
 * `same_age`: the age that all emails of the campaigns with deliveries have reached, in seconds; null if there is none.
 * @typedef {ReturnType<typeof decodeComparison>} Comparison
 * @typedef {Comparison["campaigns"][number]} Compared
 */

/** @param {Record<string, unknown>} reply to `compare` */
export const decodeComparison = (reply) => body(reply, "comparison");

/** @param {Compared} one @returns {number} the age that its first email has reached, in seconds, rounded down; 0 at first */
export const ageOf = ({ curve }) => curve.ages.at(-1) ?? 0;

/** @param {Comparison} comparison @returns {boolean} whether its numbers may still change much */
export const isChanging = ({ campaigns }) => campaigns.some((one) => ageOf(one) < CHANGING);

/**
 * @param {Compared} one
 * @param {typeof CURVES[number]} metric
 * @returns {number[]} for each age, the share of deliveries that were opened or clicked at a lower age
 */
export const shares = ({ counts: { deliveries }, curve }, metric) => (
  deliveries ? curve[metric].map((value) => Math.min(1, value / deliveries)) : []);

/**
 * The human opens and clicks that can be compared: all of them if every campaign is at least three days old, and else
 * those within the age that every email has reached.
 * @param {Comparison} comparison
 * @returns {{comparison: Comparison, young: Compared | null}} with the counts, rates and differences of those; `young`: the
 *   youngest campaign, if opens and clicks are limited to an age
 */
export function comparableOf(comparison) {
  const sent = comparison.campaigns.filter(({ counts: { deliveries } }) => deliveries > 0);
  const young = sent.reduce((/** @type {Compared | null} */ a, b) => (a && ageOf(a) <= ageOf(b) ? a : b), null);
  if (!young || sent.length < FEWEST || ageOf(young) >= SETTLED) return { comparison, young: null };
  return {
    comparison: {
      ...comparison,
      campaigns: comparison.campaigns.map((one) => until(one, comparison.same_age)),
      differences: comparison.differences.flatMap((one) => (one.at_same_age ? [{ ...one, ...one.at_same_age }] : [])),
    },
    young,
  };
}

/**
 * @param {Compared} one
 * @param {number | null} age in seconds
 * @returns {Compared} with the human opens and clicks until this age
 */
function until(one, age) {
  const row = one.curve.ages.findIndex((other) => other === age);
  const changed = { ...one, counts: { ...one.counts }, rates: { ...one.rates } };
  for (const [rate, metric] of /** @type {const} */ ([["human_open", "human_opens"], ["human_click", "human_clicks"]])) {
    changed.counts[`unique_${metric}`] = one.curve[metric][row] ?? 0;
    if (one.rates[rate] !== null) changed.rates[rate] = shares(one, metric)[row] ?? null;
  }
  return changed;
}

/**
 * How the rate of a campaign compares with that of the reference. `verdict`: `higher` or `lower` by more than
 * chance explains, or `unclear`.
 * @param {Comparison} comparison
 * @param {string} rate
 * @param {Compared} one
 * @param {Compared} reference
 */
export function compareWith({ differences: all }, rate, one, reference) {
  const difference = differenceOf(all, rate, one.id, reference.id);
  if (!difference) return null;
  return { ...difference, verdict: isClear(difference) ? (difference.difference > 0 ? "higher" : "lower") : "unclear" };
}

/**
 * Which campaign has the highest rate. `lead`: `clear` if it is higher than every other by more than chance
 * explains, `none` if no difference at all is, and else `unclear`.
 * @typedef {{best: Compared, second: Compared, lowest: Compared, lead: "clear" | "unclear" | "none",
 *            difference: import("./differences.js").Difference | null}} Lead
 */

/**
 * @param {Comparison} comparison
 * @param {typeof COMPARED[number]} rate
 * @returns {Lead | null} null if fewer than two campaigns have the rate
 */
export function leadOf({ campaigns, differences: all }, rate) {
  const ranked = campaigns.filter((one) => one.rates[rate] !== null)
    .sort((a, b) => Number(b.rates[rate]) - Number(a.rates[rate]));
  const [best, second] = ranked;
  const lowest = ranked.at(-1);
  if (!best || !second || !lowest) return null;
  const isAhead = ranked.slice(1).every((one) => (differenceOf(all, rate, best.id, one.id)?.low ?? 0) > 0);
  const someClear = all.some((one) => one.rate === rate && isClear(one));
  return {
    best, second, lowest, difference: differenceOf(all, rate, best.id, second.id),
    lead: isAhead ? "clear" : someClear ? "unclear" : "none",
  };
}
