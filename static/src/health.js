/**
 * What is wrong with the pipeline, in words: "0 opens" must not look like "the pipe is broken".
 * Pure.
 */

import { age } from "./format.js";

/** The pipeline is checked each minute: a check this old, in milliseconds, was the last one. */
const SILENT_AFTER = 5 * 60_000;
const OLDEST_SECONDS = 120;
const LAG_SECONDS = 60;

/**
 * `late`: the numbers are not what has happened, or soon will not be. `note`: they are, and somebody
 * should look all the same.
 * @typedef {{of: keyof import("./protocol.js").Health, level: "late" | "note", text: string}} Problem
 */

/** @param {number} number @param {string} one @param {string} [many] */
const some = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

/**
 * @param {import("./protocol.js").Health} health
 * @param {number} now in milliseconds since 1970
 * @returns {Problem[]} what makes numbers late first
 */
export function problemsOf(health, now) {
  /** @type {Problem[]} */
  const problems = [];
  /** @param {Problem["of"]} of @param {Problem["level"]} level @param {boolean} holds @param {() => string} text */
  const add = (of, level, holds, text) => { if (holds) problems.push({ of, level, text: text() }); };
  const { checkedAt, pausedAt, waiting, oldestSeconds, lagSeconds } = health;
  add("checkedAt", "late", checkedAt !== null && now - checkedAt > SILENT_AFTER, () =>
    `Last checked ${age(now - Number(checkedAt))}, though it should be each minute.`);
  add("pausedAt", "late", pausedAt !== null, () =>
    `Paused ${age(now - Number(pausedAt))} for a recount. Events wait in the queue; none is lost.`);
  add("oldestSeconds", "late", (oldestSeconds ?? 0) > OLDEST_SECONDS, () =>
    `${some(waiting ?? 0, "event")} not stored yet; the oldest came ${age(1000 * Number(oldestSeconds))}.`);
  add("lagSeconds", "late", (lagSeconds ?? 0) > LAG_SECONDS, () =>
    `Counting is ${lagSeconds} s behind what is stored.`);
  add("deadLetters", "note", (health.deadLetters ?? 0) > 0, () =>
    `${some(health.deadLetters ?? 0, "message")} set aside, each with its reason: python -m dashboard dlq list`);
  add("quarantined", "note", health.quarantined > 0, () =>
    `${some(health.quarantined, "stored record")} not understood, and not counted.`);
  add("unknownTypes", "note", health.unknownTypes > 0, () =>
    `${some(health.unknownTypes, "event")} of a type that this version does not know: stored, not counted.`);
  add("untracked", "note", health.untracked.length > 0, () =>
    `Delivered, and never opened: is tracking on for ${health.untracked.join(", ")}?`);
  return problems;
}
