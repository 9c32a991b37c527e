/** The variants of a campaign: emails with different values of a message tag, and which is the best. Pure. */

import { differences } from "./differences.js";
import { COUNTERS } from "./protocol.js";
import { ratesOf } from "./rates.js";
import { MOST_VARIANTS } from "./state.js";
import { count, list, optional, rate, shape, string } from "./validate.js";

/** A variant with fewer deliveries is not judged; as in chalicelib/insight/variants.py. */
export const LEAST_DELIVERIES = 200;

const FEWEST = 2;
const MOST_TAGS = 3;

/** The rows' numbers: the rate and its counter. */
export const COLUMNS = /** @type {const} */ ([
  ["delivery", "deliveries"], ["human_open", "unique_human_opens"], ["human_click", "unique_human_clicks"],
]);

const judgement = shape({
  tag: string, verdict: string, best: optional(string),
  variants: list(shape({
    value: string, deliveries: count, unique_human_clicks: count, rate: optional(rate), probability: optional(rate),
  })),
  differences: differences("values"),
});

/** @typedef {ReturnType<typeof decodeJudgement>} Judgement */

/** @param {Record<string, unknown>} reply to `compareVariants` */
export const decodeJudgement = (reply) => judgement(reply, "judgement");

/**
 * `rest`: all emails besides those of the other rows. `comparable`: whether the server can compare the values.
 * `version` changes with the numbers.
 * @typedef {{value: string, rest: boolean, counts: import("./protocol.js").Totals,
 *            rates: Pick<import("./protocol.js").Rates, typeof COLUMNS[number][0]>}} Row
 * @typedef {{tag: string, rows: Row[], comparable: boolean, version: string}} Table
 */

/**
 * @param {import("./state.js").CampaignData} data
 * @returns {Table[]} one per tag; values whose counters are all 0 are left out
 */
export function tablesOf({ variants, summary }) {
  const all = [...variants.values()];
  return [...new Set(all.map(({ tag }) => tag))].slice(0, MOST_TAGS).map((tag) => {
    const values = all.filter((one) => one.tag === tag);
    const shown = values.filter(({ counts }) => COUNTERS.some((name) => counts[name]));
    const rest = values.length < MOST_VARIANTS ? null : restOf(shown, summary);
    return {
      tag, rows: rest ? [...shown, rest] : shown, comparable: shown.length >= FEWEST,
      version: values.map(({ version }) => version).join(),
    };
  }).filter(({ rows }) => rows.length > 0);
}

/**
 * What the campaign counts besides these values. Computed from its latest numbers, because pushes have no row of it.
 * @param {import("./protocol.js").Variant[]} shown
 * @param {import("./protocol.js").Summary | null} summary
 * @returns {Row | null} null if it counts nothing
 */
function restOf(shown, summary) {
  if (!summary) return null;
  const counts = /** @type {import("./protocol.js").Totals} */ (Object.fromEntries(COUNTERS.map((name) => {
    const total = summary.counts[name];
    const rest = shown.reduce((left, one) => left - (one.counts[name] ?? 0), total ?? 0);
    return [name, total === null ? null : Math.max(0, rest)];
  })));
  return COUNTERS.some((name) => counts[name]) ? { value: "", rest: true, counts, rates: ratesOf(counts) } : null;
}

/** Half of the last digit of the server's probabilities. */
const LEAST_PROBABILITY = 0.00005;

/**
 * @param {Judgement} judgement
 * @returns {Map<string, number>} the probability of each value that it is the best, highest first; never 0 or 1,
 *   to which the server rounds; empty if there are too few deliveries
 */
export function probabilitiesOf({ variants }) {
  const known = variants.flatMap(({ value, probability }) => (probability === null ? []
    : [/** @type {[string, number]} */ ([value, Math.min(1 - LEAST_PROBABILITY, Math.max(LEAST_PROBABILITY, probability))])]));
  return new Map(known.sort(([, a], [, b]) => b - a));
}

/**
 * @param {Judgement} judgement
 * @returns {{value: string, deliveries: number} | null} the variant with the fewest deliveries
 */
export const fewestOf = ({ variants }) => variants.reduce(
  (least, one) => (least && least.deliveries <= one.deliveries ? least : one),
  /** @type {Judgement["variants"][number] | null} */ (null),
);
