/** How late events arrive, from the pushes themselves: between health checks, nothing else tells. Pure. */

import { newestEvent } from "./select.js";

/** An older event is not late: it was replayed from an archive. */
export const REPLAYED = 3_600_000;

/** How many arrivals are kept, for the view of the pipeline. */
const MOST = 300;

/** How long the delay of the last push is taken for the current one. */
const CURRENT = 60_000;

/** A delay that a viewer would notice. */
export const LATE = 10_000;

/** `at`: when the push arrived; `delay`: the age of its newest event. In milliseconds. @typedef {{at: number, delay: number}} Arrival */

/**
 * @param {import("./state.js").State} state before the change
 * @param {import("./state.js").Change} change
 * @param {number} now in milliseconds since 1970
 * @returns {Arrival | null} null if the change is not a push with an event that is newer than all others
 */
export function arrivalOf(state, change, now) {
  if (change.kind !== "push" || change.part.type === "health") return null;
  const { part } = change;
  const last = newestEvent(part.type === "list" ? part.campaigns : part.summary ? [part.summary] : []);
  const shown = state.get(change.id)?.shown;
  const before = shown?.type === "list" ? newestEvent(shown.campaigns.values())
    : shown?.type === "campaign" && shown.summary ? newestEvent([shown.summary]) : null;
  return last === null || last <= (before ?? 0) ? null : { at: now, delay: now - last };
}

/** @param {readonly Arrival[]} arrivals @param {Arrival} arrival the newest */
export const withArrival = (arrivals, arrival) => [...arrivals, arrival].slice(-MOST);

/** @param {Arrival | null} arrival @param {number} now @returns {number} the delay, 0 if there is none */
export const lateArrival = (arrival, now) => (arrival && now - arrival.at < CURRENT
  && arrival.delay > LATE && arrival.delay < REPLAYED ? arrival.delay : 0);
