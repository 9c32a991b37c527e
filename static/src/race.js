/** A campaign against what is usual at its age, on scales that begin at 0. Pure. */

import { niceStep } from "./chart.js";

/** The pace is computed until this age, in milliseconds. */
const LAST_AGE = 7 * 86_400_000;

/** @typedef {import("./protocol.js").Pace} Pace */
/** @typedef {NonNullable<Pace["human_opens"]>} Now */

/**
 * Human opens, or human clicks where nothing can be said of opens.
 * @param {Pace | null | undefined} pace
 * @returns {{metric: "human_opens" | "human_clicks", now: Now} | null} null if nothing can be said of either
 */
export function comparedOf(pace) {
  if (pace?.human_opens) return { metric: "human_opens", now: pace.human_opens };
  return pace?.human_clicks ? { metric: "human_clicks", now: pace.human_clicks } : null;
}

/** @param {Now} now @returns {"above" | "below" | "usual"} outside or inside the usual range */
export const levelOf = ({ actual, low, high }) => (actual > high ? "above" : actual < low ? "below" : "usual");

/** @param {number | null | undefined} begun @param {number} now @returns {number} the age that the last pace is of, in milliseconds */
export const ageOfPace = (begun, now) => Math.min(LAST_AGE, Math.max(0, now - (begun ?? now)));

/**
 * @param {Pace | null | undefined} pace
 * @returns {{metric: "human_opens" | "human_clicks", now: Now, end: Pace["forecast"][number]["human_opens"], ticks: number[],
 *            share: (count: number) => number} | null} `end`: what is expected 24 hours after sending, null if it is unknown or past;
 *   `ticks`: round numbers from 0 to the end of the track; `share`: of the track, up to 1; null if there is nothing to compare
 */
export function raceOf(pace) {
  const compared = comparedOf(pace);
  if (!compared || !pace) return null;
  const { metric, now } = compared;
  const end = pace.forecast.find(({ hours }) => hours === 24)?.[metric] ?? null;
  const most = Math.max(4, now.actual, now.high, end?.high ?? 0);
  const unit = niceStep(most / 4);
  const count = Math.ceil(most / unit);
  return { metric, now, end, ticks: Array.from({ length: count + 1 }, (_, n) => n * unit), share: (value) => value / (count * unit) };
}

/**
 * Several campaigns by how many times what is usual for its age each counts.
 * @template {{pace: Pace | null | undefined}} T
 * @param {T[]} campaigns
 * @returns {{lanes: {one: T, metric: "human_opens" | "human_clicks", now: Now, ratio: number, low: number, high: number}[], others: T[],
 *            ticks: number[], share: (ratio: number) => number}} `lanes`: the highest first, with the usual range; `others`:
 *   of which nothing can be said
 */
export function lanesOf(campaigns) {
  const lanes = campaigns.flatMap((one) => {
    const compared = comparedOf(one.pace);
    if (!compared || compared.now.expected <= 0) return [];
    const { actual, expected, low, high } = compared.now;
    return [{ one, ...compared, ratio: actual / expected, low: low / expected, high: high / expected }];
  }).sort((a, b) => b.ratio - a.ratio);
  const raced = lanes.map(({ one }) => one);
  const most = Math.max(1.5, ...lanes.flatMap(({ ratio, high }) => [ratio, high]));
  const unit = most <= 3 ? 0.5 : niceStep(most / 4);
  const count = Math.ceil(most / unit);
  return {
    lanes, others: campaigns.filter((one) => !raced.includes(one)),
    ticks: Array.from({ length: count + 1 }, (_, n) => n * unit), share: (value) => value / (count * unit),
  };
}
