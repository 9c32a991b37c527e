/** The geometry of a chart by age: one campaign over what is usual. Pure. */

import { STEP, WINDOW, isEmpty } from "./state.js";
import { GRAINS } from "./protocol.js";
import { niceStep, round } from "./chart.js";

/**
 * @typedef {import("./usual.js").Usual} Usual
 * @typedef {"human_opens" | "human_clicks"} Metric
 * Ages in seconds since the first event, ascending, and the emails counted by then.
 * @typedef {{age: number, count: number}[]} Line
 * @typedef {import("./state.js").CampaignData} CampaignData
 */

/** @type {readonly Metric[]} */
export const METRICS = ["human_opens", "human_clicks"];

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The axis ends at this age, in seconds. */
export const LAST = 7 * DAY;

/** Ages with a label, as far as there is room: the most important first. */
const TICKS = [LAST, HOUR, 5 * MINUTE, DAY, 4 * HOUR, 15 * MINUTE, 12 * HOUR, 3 * DAY, 2 * HOUR, MINUTE];
const LABEL_WIDTH = 4.6;

/** The ages of a table while nothing is usual. */
export const AGES = [...TICKS].sort((a, b) => a - b);

/** The counter of a metric. @param {Metric} metric @returns {import("./protocol.js").Counter} */
export const counterOf = (metric) => `unique_${metric}`;

/**
 * How many emails a campaign had counted at each age, from its total back through its minutes, hours,
 * and days: at the start of a bucket, the total without this bucket and those after it. The line begins
 * where its first bucket ends, because nothing is known within a bucket.
 *
 * @param {CampaignData} data
 * @param {Metric} metric
 * @param {number} now in milliseconds since 1970
 * @returns {Line} the last element is of `now`; empty before the first event
 */
export function lineOf(data, metric, now) {
  const start = data.summary?.campaign.first_event_at;
  if (start === null || start === undefined) return [];
  const counter = counterOf(metric);
  const total = data.summary?.counts[counter] ?? 0;
  /** @type {Line} */
  const line = [{ age: Math.max(0, (now - start) / 1000), count: total }];
  let before = now;
  for (const grain of GRAINS) {
    const buckets = [...data.timeline[grain].values()].filter((one) => !isEmpty(one)).sort((a, b) => b.at - a.at);
    const [newest, oldest] = [buckets[0], buckets.at(-1)];
    if (!newest || !oldest) continue;
    // Finer buckets decide where they are known: from here on.
    const known = Math.max(oldest.at, newest.at - WINDOW[grain] + STEP[grain]);
    let after = 0;
    for (const { at, counts } of buckets) {
      if (at < known) break;
      for (const [time, sum] of [[at + STEP[grain], after], [at, after += counts[counter] ?? 0]]) {
        const age = (Number(time) - start) / 1000;
        if (Number(time) < before && age > 0 && age < (line.at(-1)?.age ?? 0)) line.push({ age, count: Math.max(0, total - Number(sum)) });
      }
    }
    before = Math.min(before, known);
    if (before - start < STEP[grain]) {
      if (grain === "minute") line.push({ age: 0, count: 0 });
      break;
    }
  }
  line.reverse();
  // The parts have versions of their own, so that they may differ for a moment.
  for (let index = line.length - 2; index >= 0; index--) {
    const [here, next] = [line[index], line[index + 1]];
    if (here && next) here.count = Math.min(here.count, next.count);
  }
  return line;
}

/** The axis is linear in the logarithm of the age, except in the first minutes. @param {number} age */
const warped = (age) => Math.log1p(age / MINUTE);

/**
 * @param {readonly number[]} ages ascending
 * @param {readonly number[]} values one for each age
 * @param {number} age
 * @returns {number | null} the value at an age, interpolated; null outside of the ages
 */
export function valueAt(ages, values, age) {
  const next = ages.findIndex((one) => one >= age);
  const [from, to] = [ages[next - 1], ages[next]];
  const [low, high] = [values[next - 1], values[next]];
  if (to === undefined || high === undefined) return null;
  if (to === age) return high;
  if (from === undefined || low === undefined) return null;
  return low + ((warped(age) - warped(from)) / (warped(to) - warped(from))) * (high - low);
}

/** @param {Line} line @param {number} age @returns {number | null} */
export const countAt = (line, age) => valueAt(line.map((one) => one.age), line.map((one) => one.count), age);

/**
 * How a campaign does at its present age, or at the last age of which something is usual.
 * @param {Usual | null} usual @param {Metric} metric @param {Line} line
 * @returns {{age: number, actual: number, expected: number, low: number, high: number} | null} null if
 *   nothing is usual, or the campaign's count is unknown
 */
export function comparisonOf(usual, metric, line) {
  const counts = usual?.[metric];
  const age = Math.min(line.at(-1)?.age ?? 0, usual?.ages.at(-1) ?? 0);
  const actual = countAt(line, age);
  if (!usual || !counts || actual === null) return null;
  const [low, expected, high] = [counts.low, counts.expected, counts.high].map((one) => valueAt(usual.ages, one, age) ?? 0);
  return { age, actual: Math.round(actual), low: Number(low), expected: Number(expected), high: Number(high) };
}

/**
 * @param {{line: Line, usual: Usual | null, metric: Metric, width: number, height: number, em: number,
 *          count: (value: number) => string}} input width, height and em in pixels; `count` formats a
 *   number of the axis
 */
export function layoutOf({ line, usual, metric, width, height, em, count }) {
  const left = 3.4 * em;
  const bottom = height - 1.8 * em;
  const top = 0.9 * em;
  const room = Math.max(1, width - left - 0.6 * em);
  /** @param {number} age in seconds */
  const xOf = (age) => left + (warped(Math.min(age, LAST)) / warped(LAST)) * room;
  const shown = line.filter(({ age }) => age <= LAST);
  if (shown.length < line.length) {
    const at = countAt(line, LAST);
    if (at !== null) shown.push({ age: LAST, count: at });
  }
  const { low = [], expected = [], high = [] } = usual?.[metric] ?? {};
  const most = Math.max(4, ...high, ...shown.map((one) => one.count));
  const unit = niceStep(most / 4);
  const highest = Math.ceil(most / unit) * unit;
  /** @param {number} value */
  const yOf = (value) => bottom - (value / highest) * (bottom - top);
  /** @param {number} age @param {number} value */
  const point = (age, value) => `${round(xOf(age))},${round(yOf(value))}`;
  const ages = usual?.ages ?? [];
  /** @param {number[]} values */
  const points = (values) => values.map((value, index) => point(ages[index] ?? 0, value));

  /** @type {{age: number, x: number}[]} */
  const ticks = [];
  for (const age of TICKS) {
    const x = xOf(age);
    if (ticks.every((one) => Math.abs(one.x - x) >= LABEL_WIDTH * em)) ticks.push({ age, x });
  }
  const last = shown.at(-1);
  return {
    left, bottom, xOf, ticks,
    band: high.length ? `M${[...points(high), ...points(low).reverse()].join("L")}z` : null,
    expected: expected.length ? `M${points(expected).join("L")}` : null,
    line: shown.length > 1 ? `M${shown.map(({ age, count: value }) => point(age, value)).join("L")}` : null,
    end: last ? { x: xOf(last.age), y: yOf(last.count) } : null,
    lines: Array.from({ length: Math.round(highest / unit) + 1 }, (_, n) => ({ y: yOf(n * unit), label: count(n * unit) })),
    /** @param {number} x @returns {number | null} the age at a position; null outside of the chart */
    ageAt: (x) => (x < left || x > left + room ? null : MINUTE * Math.expm1(((x - left) / room) * warped(LAST))),
  };
}
