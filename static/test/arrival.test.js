import assert from "node:assert/strict";
import { test } from "node:test";
import { arrivalOf, lateArrival } from "../src/arrival.js";
import { EMPTY, reduce } from "../src/state.js";
import { TOPIC, bucket, listed, push, snapshot, summary } from "./builders.js";

const LIST = "stats/email-campaigns";
const NOW = Date.parse("2026-11-23T10:06:00Z");

/** @param {string} last @param {number} version */
const until = (last, version) => {
  const body = summary(version);
  return { ...body, campaign: { ...body.campaign, last_event_at: `2026-11-23T${last}Z` } };
};
const before = [/** @type {const} */ ({ kind: "subscribing", id: TOPIC }), snapshot(until("10:05:00", 1))].reduce(reduce, EMPTY);

test("a push with a new event has its age as the delay", () => {
  assert.deepEqual(arrivalOf(before, push(until("10:05:15", 2)), NOW), { at: NOW, delay: 45_000 });
});

test("a push without a newer event has no delay, and neither has a snapshot", () => {
  assert.equal(arrivalOf(before, push(until("10:05:00", 2)), NOW), null);
  assert.equal(arrivalOf(before, push({ timeline: { minute: [bucket("10:05", 1)] } }), NOW), null);
  assert.equal(arrivalOf(before, snapshot(until("10:05:15", 2)), NOW), null);
});

test("of a list, only the newest event of all campaigns counts", () => {
  const list = [
    /** @type {const} */ ({ kind: "subscribing", id: LIST }),
    snapshot({ campaigns: [listed("a", 1, "2026-11-23T10:05:00Z"), listed("b", 1, "2026-11-20T10:00:00Z")] }, { id: LIST }),
  ].reduce(reduce, EMPTY);

  assert.equal(arrivalOf(list, push({ campaigns: [listed("b", 2, "2026-11-20T11:00:00Z")] }, LIST), NOW), null);
  assert.equal(arrivalOf(list, push({ campaigns: [listed("b", 2, "2026-11-23T10:05:59Z")] }, LIST), NOW)?.delay, 1000);
});

test("a delay above 10 s counts for a minute, and a replayed event is not late", () => {
  assert.equal(lateArrival(null, NOW), 0);
  assert.equal(lateArrival({ at: NOW, delay: 9000 }, NOW), 0);
  assert.equal(lateArrival({ at: NOW, delay: 11_000 }, NOW + 59_000), 11_000);
  assert.equal(lateArrival({ at: NOW, delay: 11_000 }, NOW + 60_000), 0);
  assert.equal(lateArrival({ at: NOW, delay: 86_400_000 }, NOW), 0);
});
