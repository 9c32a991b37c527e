import assert from "node:assert/strict";
import test from "node:test";
import { delayOf, levelOf, problemsOf } from "../src/health.js";

const NOW = Date.parse("2026-11-23T12:00:00Z");
const WELL = {
  checked_at: NOW - 40_000, last_event_at: NOW - 1000, paused_at: null, queue: { waiting: 3, oldest_seconds: 2 },
  dead_letters: 0, stream_lag_seconds: 0, quarantined: 0, unknown_types: 0, untagged: 5, untracked: [], unsent: [],
};
const UNKNOWN = {
  ...WELL, checked_at: null, queue: { waiting: null, oldest_seconds: null }, dead_letters: null, stream_lag_seconds: null,
};

test("a healthy pipeline has no problems, and neither does one that has not been checked yet", () => {
  assert.deepEqual(problemsOf(WELL, NOW), []);
  assert.deepEqual(problemsOf(UNKNOWN, NOW), []);
});

for (const [wrong, problem] of /** @type {[Partial<typeof WELL>, import("../src/health.js").Problem][]} */ (/** @type {unknown} */ ([
  [{ checked_at: NOW - 481_000 }, { of: "checked_at", level: "late", since: NOW - 481_000 }],
  [{ paused_at: NOW - 90_000 }, { of: "paused_at", level: "late", since: NOW - 90_000 }],
  [{ queue: { waiting: 412, oldest_seconds: 180 } }, { of: "oldest_seconds", level: "late", count: 412, since: NOW - 180_000 }],
  [{ stream_lag_seconds: 61 }, { of: "stream_lag_seconds", level: "late", count: 61 }],
  [{ stream_lag_seconds: 11 }, { of: "stream_lag_seconds", level: "late", count: 11 }],
  [{ dead_letters: 1 }, { of: "dead_letters", level: "note", count: 1 }],
  [{ quarantined: 2 }, { of: "quarantined", level: "note", count: 2 }],
  [{ unknown_types: 1 }, { of: "unknown_types", level: "note", count: 1 }],
  [{ untracked: ["a", "b"] }, { of: "untracked", level: "note", names: ["a", "b"] }],
  [{ unsent: ["a"] }, { of: "unsent", level: "note", names: ["a"] }],
]))) {
  test(`${problem.of} alone is a problem (${problem.count ?? problem.names ?? "time"})`, () => {
    assert.deepEqual(problemsOf({ ...WELL, ...wrong }, NOW), [problem]);
  });
}

test("problems that delay the numbers come first", () => {
  const levels = problemsOf({ ...WELL, dead_letters: 1, stream_lag_seconds: 90 }, NOW).map(({ level }) => level);

  assert.deepEqual(levels, ["late", "note"]);
});

test("the level is that of the worst problem, and none before the first event", () => {
  assert.equal(levelOf(WELL, NOW), "ok");
  assert.equal(levelOf({ ...WELL, dead_letters: 1 }, NOW), "note");
  assert.equal(levelOf({ ...WELL, dead_letters: 1, stream_lag_seconds: 90 }, NOW), "late");
  assert.equal(levelOf({ ...WELL, last_event_at: null }, NOW), "none");
});

test("the numbers are late by the delays of all hops, or since counting stopped", () => {
  assert.equal(delayOf({ ...WELL, queue: { waiting: 9, oldest_seconds: 30 }, stream_lag_seconds: 15 }, NOW), 45_000);
  assert.equal(delayOf({ ...WELL, paused_at: NOW - 600_000 }, NOW), 600_000);
  assert.equal(delayOf({ ...WELL, checked_at: NOW - 500_000 }, NOW), 500_000);
});
