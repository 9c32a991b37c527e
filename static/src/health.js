/** What is wrong with the pipeline: "0 opens" must not look like "the pipe is broken". Pure. */

/** The pipeline is checked each minute: a check this old, in milliseconds, was the last one. */
const SILENT_AFTER = 5 * 60_000;
const OLDEST_SECONDS = 120;
const LAG_SECONDS = 60;

/**
 * `of` names the member that tells. `late`: the numbers are not what has happened, or soon will not
 * be. `note`: they are, and somebody should look all the same. `since` is a time in milliseconds.
 * @typedef {{of: string, level: "late" | "note", since?: number, count?: number, names?: string[]}} Problem
 */

/**
 * @param {import("./protocol.js").Health} health
 * @param {number} now in milliseconds since 1970
 * @returns {Problem[]} what makes numbers late first
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
