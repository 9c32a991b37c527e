import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIVE_FOR, SENDING_FOR, lastSentAt, levelOf } from "../src/attention.js";
import { EMPTY, reduce } from "../src/state.js";
import { LIST_TOPIC } from "../src/protocol.js";
import { TOPIC, bucket, listed, snapshot, summary } from "./builders.js";

const page = { hidden: false, wall: false, signAt: 1000, sentAt: 1000, now: 1000 };

test("a viewer who has touched the page within two minutes is active, then merely visible", () => {
  assert.equal(levelOf({ ...page, now: 1000 + ACTIVE_FOR - 1 }), "active");
  assert.equal(levelOf({ ...page, now: 1000 + ACTIVE_FOR }), "visible");
});

test("a wall screen is always active, and a tab in the background hidden", () => {
  assert.equal(levelOf({ ...page, wall: true, now: 10 * ACTIVE_FOR }), "active");
  assert.equal(levelOf({ ...page, hidden: true }), "hidden");
  assert.equal(levelOf({ ...page, hidden: true, wall: true }), "hidden");
});

test("an hour after emails were last sent, even a viewer who uses the page is merely visible", () => {
  const used = { ...page, now: 1000 + SENDING_FOR, signAt: 1000 + SENDING_FOR };
  assert.equal(levelOf(used), "visible");
  assert.equal(levelOf({ ...used, wall: true }), "visible");
  assert.equal(levelOf({ ...used, sentAt: 1001 }), "active");
});

/** @param {object} body @param {string} id */
const shown = (body, id = TOPIC) =>
  reduce(reduce(EMPTY, { kind: "subscribing", id }), snapshot(body, { id })).get(id)?.shown;

/** @param {object[]} minutes */
const campaign = (...minutes) => shown({ summary: summary(1), timeline: { minute: minutes } });

test("emails of a campaign were last sent in the last minute that counts sends", () => {
  const data = campaign(bucket("10:00", 1, { sends: 9 }), bucket("10:02", 1, { sends: 1 }), bucket("10:05", 1, { opens: 1 }));

  assert.equal(lastSentAt([data]), Date.parse("2026-11-23T10:02:00Z"));
  assert.equal(lastSentAt([data, campaign(bucket("11:00", 1, { sends: 1 }))]), Date.parse("2026-11-23T11:00:00Z"));
});

test("in a list, the newest campaign counts", () => {
  const data = shown({ campaigns: [listed("a", 1, "2026-11-23T10:00:00Z"), listed("b", 1, "2026-11-23T09:00:00Z")] }, LIST_TOPIC);

  assert.equal(lastSentAt([data]), Date.parse("2026-11-23T10:00:00Z"));
});

test("changes are pushed at once until it is known when emails were sent, and before the first event", () => {
  assert.equal(lastSentAt([]), Infinity);
  assert.equal(lastSentAt([undefined]), Infinity);
  assert.equal(lastSentAt([campaign()]), Infinity);
  assert.equal(lastSentAt([campaign(bucket("10:05", 1, { opens: 1 }))]), 0);
});
