/** How far the read rate can be off. Pure. */

/** @typedef {import("./protocol.js").Summary} Summary */

/**
 * The range of the read rate, in whole percentage points: humans that are known to have read;
 * the same without the emails that only a privacy proxy opened; opens by anyone.
 * @param {Summary | null} summary
 * @returns {{least: number, likely: number | null, most: number} | null} `likely`: null if a proxy opened all emails; null if
 *   the range is unknown
 */
export function readRange(summary) {
  const { read, read_observable: observable, open } = summary?.rates ?? {};
  if (typeof read !== "number" || typeof open !== "number") return null;
  const most = Math.max(read, open);
  const points = (/** @type {number} */ rate) => Math.round(100 * rate);
  // Opens that are not classified yet may exceed it.
  return { least: points(read), likely: typeof observable === "number" ? points(Math.min(most, observable)) : null, most: points(most) };
}
