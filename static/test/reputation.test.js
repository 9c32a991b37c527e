import assert from "node:assert/strict";
import { test } from "node:test";
import { isPrevented, judge, judgeCampaign, lowerBound } from "../src/reputation.js";
import { counts } from "./builders.js";

/** @typedef {import("../src/reputation.js").Reputation} Reputation */

for (const [rate, count, total, level, line] of /** @type {[Reputation, number, number, string, number | null][]} */ ([
  ["bounce", 0, 0, "ok", null],
  ["bounce", 5, 100, "ok", null],
  ["bounce", 3, 51, "watch", 0.05],
  ["bounce", 199, 199, "watch", 0.1],
  ["bounce", 200, 200, "bad", 0.1],
  ["bounce", 12, 210, "watch", 0.05],
  ["bounce", 600, 10_000, "bad", 0.05],
  ["bounce", 1050, 10_000, "bad", 0.05],
  ["bounce", 1100, 10_000, "bad", 0.1],
  ["complaint", 1, 51, "watch", 0.005],
  ["complaint", 1, 1000, "ok", null],
  ["complaint", 2, 1000, "watch", 0.001],
  ["complaint", 30, 12_000, "bad", 0.001],
  ["complaint", 90, 12_000, "bad", 0.005],
])) {
  test(`a ${rate} rate of ${count} of ${total} is ${level}`, () => {
    assert.deepEqual(judge(rate, count, total), { level, line });
  });
}

test("the lower end of the Wilson interval is as published", () => {
  // Newcombe 1998, Statistics in Medicine 17, table I, method 3.
  assert.equal(lowerBound(81, 263).toFixed(4), "0.2553");
  assert.equal(lowerBound(15, 148).toFixed(4), "0.0624");
  assert.equal(lowerBound(0, 20).toFixed(4), "0.0000");
  assert.equal(lowerBound(1, 29).toFixed(4), "0.0061");
});

test("emails that SES did not send are neither bounces nor sends", () => {
  const { count, total } = judgeCampaign("bounce", /** @type {any} */ (counts({ sends: 60, prevented: 9, hard_bounces: 3 })));

  assert.deepEqual([count, total], [3, 51]);
  assert.ok(isPrevented("OnAccountSuppressionList"));
  assert.ok(!isPrevented("Suppressed"), "SES counts bounces of its global list");
  assert.ok(!isPrevented(null));
});

test("there is no alarm while sends are missing or nothing is known", () => {
  assert.equal(judgeCampaign("bounce", /** @type {any} */ (counts({ sends: 300, deliveries: 12_000, hard_bounces: 150 }))).level, "ok");
  assert.equal(judgeCampaign("complaint", undefined).level, "ok");
});
