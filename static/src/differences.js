/** Differences of rates with their intervals, as the server computes them. Pure. */

import { fail, list, optional, shape, string } from "./validate.js";

/** @type {import("./validate.js").Check<number>} */
const number = (value, path) => (typeof value === "number" && Number.isFinite(value) ? value : fail(path, "a number", value));

const interval = { difference: number, low: number, high: number };

/**
 * `names` of two campaigns or variants: the rate of the second is subtracted from that of the first.
 * @typedef {{rate: string, names: string[], difference: number, low: number, high: number}} Difference
 * `at_same_age`: the same of what was counted at the same age; null if there is none.
 * @typedef {Difference & {at_same_age: {difference: number, low: number, high: number} | null}} CampaignDifference
 */

/**
 * @param {string} member that names the two
 * @returns {import("./validate.js").Check<CampaignDifference[]>}
 */
export const differences = (member) => list((value, path) => {
  /** @type {Record<string, import("./validate.js").Check<any>>} */
  const members = { [member]: list(string), rate: string, ...interval, at_same_age: optional(shape(interval)) };
  const { [member]: names, ...numbers } = shape(members)(value, path);
  return /** @type {any} */ ({ ...numbers, names });
});

/**
 * @param {Difference[]} all
 * @param {string} rate
 * @param {string} a
 * @param {string} b
 * @returns {Difference | null} the rate of `a` minus that of `b`; null if the server has not compared them
 */
export function differenceOf(all, rate, a, b) {
  for (const one of all) {
    if (one.rate !== rate) continue;
    if (one.names[0] === a && one.names[1] === b) return one;
    if (one.names[0] === b && one.names[1] === a) {
      return { ...one, names: [a, b], difference: -one.difference, low: -one.high, high: -one.low };
    }
  }
  return null;
}

/** Whether chance alone does not explain it. @param {Difference} difference */
export const isClear = ({ low, high }) => low > 0 || high < 0;

/**
 * Format differences of rates in percentage points, with their signs.
 * @param {string} [locale]
 */
export function createPoints(locale) {
  const [one, two] = [1, 2].map((digits) => new Intl.NumberFormat(locale, {
    signDisplay: "exceptZero", minimumFractionDigits: digits, maximumFractionDigits: digits,
  }));
  /** @param {number} value a fraction of 1 @param {number} like determines the number of digits */
  return (value, like = value) => /** @type {Intl.NumberFormat} */ (Math.abs(like) < 0.01 ? two : one).format(100 * value).replace("-", "\u2212");
}
