/**
 * What the timeline of a campaign shows, as in the URL's hash, such as
 * `grain=hour&from=2026-11-23T10:00Z&to=2026-11-23T16:00Z&hide=opens`. Defaults are left out. Pure.
 */

import { parseParameters } from "./parameters.js";
import { GRAINS } from "./protocol.js";

/** The counters of the timeline, in the order of its charts. */
export const COUNTERS = /** @type {const} */ (["sends", "deliveries", "hard_bounces", "opens", "human_opens", "human_clicks"]);

/**
 * `age`: the counter of the chart by age, null for the charts by clock time. `grain`: null for the finest one
 * that covers the campaign. `zoom`: null for all. `hidden`: counters without bars.
 * @typedef {{age: "human_opens" | "human_clicks" | null, grain: import("./protocol.js").Grain | null,
 *            zoom: import("./chart.js").Range | null, hidden: readonly string[]}} View
 */

/** @type {View} */
export const DEFAULTS = { age: null, grain: null, zoom: null, hidden: [] };

/** A bar begins at a whole minute. @param {number} seconds @returns {string} such as "2026-11-23T10:00Z" */
const stampOf = (seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 16)}Z`;

/** @param {string} value */
const read = (value) => Date.parse(value) / 1000;

/** @param {string} value @returns {boolean} whether it is a minute of the calendar */
const isMinute = (value) => Number.isFinite(read(value)) && stampOf(read(value)) === value;

/** @type {import("./parameters.js").Parameters} */
const PARAMETERS = {
  age: ["age", (value) => value === "human_opens" || value === "human_clicks"],
  grain: ["grain", (value) => GRAINS.includes(/** @type {any} */ (value))],
  from: ["from", isMinute, read],
  to: ["to", isMinute, read],
  hide: ["hidden", (value) => value.split(",").every((name) => COUNTERS.includes(/** @type {any} */ (name))), (value) => value.split(",")],
};

/**
 * @param {string} text the part of the hash after `?`
 * @returns {{view: View, problems: import("./parameters.js").Problem[]}} invalid parameters have their defaults, and
 *   a problem each
 */
export function parseView(text) {
  const { values: { from, to, ...values }, problems } = parseParameters(text, PARAMETERS, "timeline");
  if (from < to) values["zoom"] = [from, to];
  else if (from !== undefined || to !== undefined) {
    const name = from === undefined ? "to" : "from";
    problems.push({ name, value: stampOf(from ?? to), text: "timeline.bad_range" });
  }
  return { view: { ...DEFAULTS, ...values }, problems };
}

/** @param {View} view @returns {string} the part of the hash after `?`, "" if all are defaults */
export const queryOf = ({ age, grain, zoom, hidden }) => Object.entries({
  age, grain, from: zoom && stampOf(zoom[0]), to: zoom && stampOf(zoom[1]), hide: COUNTERS.filter((name) => hidden.includes(name)).join(),
}).filter(([, value]) => value).map((one) => one.join("=")).join("&");
