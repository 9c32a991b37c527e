import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIVE_FOR, levelOf } from "../src/attention.js";

const page = { hidden: false, wall: false, signAt: 1000, now: 1000 };

test("a viewer who has touched the page within two minutes is active, then merely visible", () => {
  assert.equal(levelOf({ ...page, now: 1000 + ACTIVE_FOR - 1 }), "active");
  assert.equal(levelOf({ ...page, now: 1000 + ACTIVE_FOR }), "visible");
});

test("a wall screen is always active, and a tab in the background hidden", () => {
  assert.equal(levelOf({ ...page, wall: true, now: 10 * ACTIVE_FOR }), "active");
  assert.equal(levelOf({ ...page, hidden: true }), "hidden");
  assert.equal(levelOf({ ...page, hidden: true, wall: true }), "hidden");
});
