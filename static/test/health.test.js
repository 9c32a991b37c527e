import assert from "node:assert/strict";
import test from "node:test";
import { problemsOf } from "../src/health.js";

const NOW = Date.parse("2026-11-23T12:00:00Z");
const WELL = {
  checkedAt: NOW - 40_000, lastEventAt: NOW - 1000, waiting: 3, oldestSeconds: 2, deadLetters: 0, lagSeconds: 0,
  quarantined: 0, unknownTypes: 0, untagged: 5, untracked: [], pausedAt: null,
};

test("a pipeline that flows has no problem, and neither has one that is not checked yet", () => {
  const unknown = { ...WELL, checkedAt: null, waiting: null, oldestSeconds: null, deadLetters: null, lagSeconds: null };

  assert.deepEqual(problemsOf(WELL, NOW), []);
  assert.deepEqual(problemsOf(unknown, NOW), []);
});

for (const [wrong, level, says] of /** @type {const} */ ([
  [{ checkedAt: NOW - 6 * 60_000 }, "late", "Last checked 6 min ago"],
  [{ pausedAt: NOW - 90_000 }, "late", "Paused 1 min ago"],
  [{ waiting: 412, oldestSeconds: 180 }, "late", "412 events not stored yet; the oldest came 3 min ago"],
  [{ lagSeconds: 61 }, "late", "61 s behind"],
  [{ deadLetters: 1 }, "note", "1 message set aside"],
  [{ quarantined: 2 }, "note", "2 stored records not understood"],
  [{ unknownTypes: 1 }, "note", "1 event of a type"],
  [{ untracked: ["a", "b"] }, "note", "tracking on for a, b?"],
])) {
  test(`${JSON.stringify(wrong)} is a problem of its own`, () => {
    const problems = problemsOf({ ...WELL, ...wrong, untracked: [...(wrong.untracked ?? [])] }, NOW);

    assert.equal(problems.length, 1);
    assert.equal(problems[0]?.level, level);
    assert.ok(problems[0]?.text.includes(says), problems[0]?.text);
  });
}
