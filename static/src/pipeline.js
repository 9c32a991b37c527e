/** How long events take, the comparison with SES's own numbers, and the last recounts. Pure. */

import { LATE, REPLAYED } from "./arrival.js";
import { ProtocolError, count, flag, list, optional, rate, shape, string, time } from "./validate.js";

/** Within this time, an event should be on the page, in seconds. */
export const BUDGET = LATE / 1000;

/** An unexplained part of a difference up to this fraction of SES's number is not conspicuous. */
const TOLERANCE = 0.001;

/** With fewer emails of the account, our numbers are no good basis for its distance to SES's limits. */
const MOST_OF_THE_ACCOUNT = 0.9;

/** @type {import("./validate.js").Check<number>} */
const number = (value, path) => (typeof value === "number" ? value : rate(value, path));

const hops = list(shape({ hop: string, p50: rate, p99: rate, events: count }));
const comparison = shape({
  day: string, compared_at: time, state: string, share: optional(rate), days: count,
  metrics: list(shape({
    metric: string, ours: count, ses: optional(count), explained: number, unexplained: number,
    causes: list(shape({ name: string, most: count })),
  })),
  runways: list(shape({
    kind: string, rate, line: optional(rate), remaining: optional(count), low: optional(count), high: optional(count),
    is_matched: flag, is_most: flag,
  })),
});
const recount = shape({
  at: time, of: optional(string), campaigns: count, facts: count, counters: count, differences: count, drift: count,
  applied: flag,
});

/**
 * @typedef {ReturnType<typeof hops>[number]} Delay
 * @typedef {ReturnType<typeof comparison>} Comparison
 * @typedef {Comparison["metrics"][number]} Metric
 * @typedef {Comparison["runways"][number]} Runway
 * @typedef {ReturnType<typeof recount>} Recount
 * A hop, and the seconds within which half and 99% of the events took it; null: not known.
 * @typedef {{hop: string, p50: number | null, p99: number | null}} Hop
 */

/**
 * Return a value that has this form; null if it has another one, as of a later release.
 * @template T
 * @param {import("./validate.js").Check<T>} check
 * @returns {(value: unknown) => T | null}
 */
const known = (check) => (value) => {
  try {
    return check(value, "health");
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return null;
  }
};

/** @type {(value: unknown) => Delay[] | null} */
export const delaysOf = known((value, path) => (value === null || value === undefined ? null : hops(value, path)));
export const comparisonOf = known(optional(comparison));
export const recountsOf = known(list(recount));

/**
 * Return the hops in their order, and the way as a whole. What the page adds is derived: the time from the event to
 * the page, less the time until it was counted.
 * @param {Delay[]} delays
 * @param {readonly import("./arrival.js").Arrival[]} arrivals the last ones on this page
 * @param {number} now in milliseconds since 1970
 * @returns {Hop[]}
 */
export function hopsOf(delays, arrivals, now) {
  const of = new Map(delays.map((delay) => [delay.hop, delay]));
  /** @param {string} hop @returns {Hop} */
  const hop = (hop) => ({ hop, p50: of.get(hop)?.p50 ?? null, p99: of.get(hop)?.p99 ?? null });
  const counted = hop("total");
  const seconds = arrivals.filter(({ at, delay }) => now - at < RECENT && delay < REPLAYED)
    .map(({ delay }) => Math.max(0, delay / 1000)).sort((one, other) => one - other);
  /** @param {number} share @param {number | null} until */
  const page = (share, until) => {
    const value = seconds[Math.ceil(share * seconds.length) - 1];
    return value === undefined || until === null ? null : Math.max(0, value - until);
  };
  const shown = { hop: "page", p50: page(0.5, counted.p50), p99: page(0.99, counted.p99) };
  /** @param {number | null} one @param {number | null} other */
  const sum = (one, other) => (one === null ? null : one + (other ?? 0));
  return [hop("ses"), hop("queue"), hop("count"), shown,
    { hop: "total", p50: sum(counted.p50, shown.p50), p99: sum(counted.p99, shown.p99) }];
}

/** For how long an arrival belongs to the last minutes, in milliseconds. */
const RECENT = 300_000;

/** @param {Comparison} found @returns {Metric[]} those of which something happened */
export const metricsOf = ({ metrics }) => metrics.filter(({ ours, ses }) => ours > 0 || (ses ?? 0) > 0);

/** @param {Metric} metric @returns {boolean} whether more is unexplained than is conspicuous */
export const isConspicuous = ({ unexplained, ses }) => Math.abs(unexplained) > TOLERANCE * (ses ?? 0);

/** @param {Comparison} found @returns {number} how many events are unexplained in all */
export const unexplainedOf = ({ metrics }) => metrics.reduce((sum, { unexplained }) => sum + Math.abs(unexplained), 0);

/** @param {Comparison} found @returns {boolean} whether the account sends much that we do not count */
export const countsTooLittle = ({ share }) => share !== null && share < MOST_OF_THE_ACCOUNT;

/** Round an estimate down to two digits. @param {number} value */
export function about(value) {
  const unit = 10 ** Math.max(0, String(value).length - 2);
  return Math.floor(value / unit) * unit;
}

/**
 * @param {Runway} runway
 * @returns {"over" | "unknown" | "most" | "range" | "about"} how the number is to be worded
 */
export function kindOf({ line, remaining, low, high, is_most: isMost }) {
  if (line === null) return "over";
  if (remaining === null) return "unknown";
  if (isMost) return "most";
  return about(low ?? 0) === about(high ?? 0) ? "about" : "range";
}

/**
 * The rates from which SES reviews an account, and from which it may pause its sending.
 * @type {Record<string, [number, number]>}
 */
const LINES = { bounces: [0.05, 0.1], complaints: [0.001, 0.005] };

/** @param {Runway} runway @returns {boolean} whether SES does not review the account yet */
export const isBelowReview = ({ kind, line }) => line === LINES[kind]?.[0];

/** @param {Runway} runway @returns {number | null} the next rate, or above all the last one */
export const lineOf = ({ kind, line }) => line ?? LINES[kind]?.[1] ?? null;

/** Format seconds with as many digits as matter. @param {number | null} seconds @param {import("./format.js").Format} format */
export function lasting(seconds, format) {
  if (seconds === null) return "–";
  if (seconds < 0.1) return `< ${format.ratio(0.1)} s`;
  return seconds < 9.95 ? `${format.ratio(seconds)} s` : seconds < 120 ? `${format.count(Math.round(seconds))} s`
    : `${format.count(Math.round(seconds / 60))} min`;
}
