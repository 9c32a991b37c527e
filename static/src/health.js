/** Problems of the pipeline, so that a broken pipeline does not look like "0 opens". Pure. */

/** The pipeline is checked every minute; after this time without a check, in milliseconds, checks have stopped. */
const SILENT_AFTER = 5 * 60_000;
const OLDEST_SECONDS = 120;
const LAG_SECONDS = 60;

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
  const { checked_at: checkedAt, paused_at: pausedAt, queue, stream_lag_seconds: lag, untracked } = health;
  const oldest = queue.oldest_seconds ?? 0;
  /** @type {Problem[]} */
  const problems = [];
  /** @param {unknown} holds @param {string} of @param {Problem["level"]} level @param {Partial<Problem>} values */
  const add = (holds, of, level, values) => { if (holds) problems.push({ of, level, ...values }); };
  add(checkedAt && now - checkedAt > SILENT_AFTER, "checked_at", "late", { since: Number(checkedAt) });
  add(pausedAt, "paused_at", "late", { since: Number(pausedAt) });
  add(oldest > OLDEST_SECONDS, "oldest_seconds", "late", { count: queue.waiting ?? 0, since: now - 1000 * oldest });
  add((lag ?? 0) > LAG_SECONDS, "stream_lag_seconds", "late", { count: Number(lag) });
  for (const of of /** @type {const} */ (["dead_letters", "quarantined", "unknown_types"])) {
    add(health[of], of, "note", { count: Number(health[of]) });
  }
  add(untracked.length, "untracked", "note", { names: untracked });
  return problems;
}
