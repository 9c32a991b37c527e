/** Problems of the pipeline, so that a broken pipeline does not look like "0 opens". Pure. */

/** A check is stored at least every five minutes; after this time without one, in milliseconds, checks have stopped. */
const SILENT_AFTER = 8 * 60_000;
/** A delay that a viewer would notice. */
const LATE_SECONDS = 10;

/**
 * `of` is the member with the problem. `late`: the numbers are or soon will be out of date. `note`:
 * they are current, but an operator should take a look. `since` is a time in milliseconds.
 * @typedef {{of: string, level: "late" | "note", since?: number, count?: number, names?: string[]}} Problem
 */

/**
 * @param {import("./protocol.js").Health} health
 * @param {number} now in milliseconds since 1970
 * @returns {Problem[]} those that delay numbers first
 */
export function problemsOf(health, now) {
  const { checked_at: checkedAt, paused_at: pausedAt, queue, stream_lag_seconds: lag, untracked, unsent } = health;
  const oldest = queue.oldest_seconds ?? 0;
  /** @type {Problem[]} */
  const problems = [];
  /** @param {unknown} holds @param {string} of @param {Problem["level"]} level @param {Partial<Problem>} values */
  const add = (holds, of, level, values) => { if (holds) problems.push({ of, level, ...values }); };
  add(checkedAt && now - checkedAt > SILENT_AFTER, "checked_at", "late", { since: Number(checkedAt) });
  add(pausedAt, "paused_at", "late", { since: Number(pausedAt) });
  add(oldest > LATE_SECONDS, "oldest_seconds", "late", { count: queue.waiting ?? 0, since: now - 1000 * oldest });
  add((lag ?? 0) > LATE_SECONDS, "stream_lag_seconds", "late", { count: Number(lag) });
  for (const of of /** @type {const} */ (["dead_letters", "quarantined", "unknown_types"])) {
    add(health[of], of, "note", { count: Number(health[of]) });
  }
  add(untracked.length, "untracked", "note", { names: untracked });
  add(unsent.length, "unsent", "note", { names: unsent });
  return problems;
}

/**
 * @param {import("./protocol.js").Health} health
 * @param {number} now in milliseconds since 1970
 * @returns {"none" | "ok" | "note" | "late"} the worst level; `none`: no event has arrived yet
 */
export function levelOf(health, now) {
  const levels = problemsOf(health, now).map(({ level }) => level);
  if (levels.includes("late")) return "late";
  if (levels.length > 0) return "note";
  return health.last_event_at === null ? "none" : "ok";
}

/**
 * @param {import("./protocol.js").Health} health
 * @param {number} now in milliseconds since 1970
 * @returns {number} by how much the numbers are late, in milliseconds, as far as it is known
 */
export function delayOf({ checked_at: checkedAt, paused_at: pausedAt, queue, stream_lag_seconds: lag }, now) {
  const measured = 1000 * ((queue.oldest_seconds ?? 0) + (lag ?? 0));
  const silent = checkedAt && now - checkedAt > SILENT_AFTER ? now - checkedAt : 0;
  return Math.max(measured, silent, pausedAt ? now - pausedAt : 0);
}
