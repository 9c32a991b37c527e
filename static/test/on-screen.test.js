import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST_ON_SCREEN, onScreen } from "../src/on-screen.js";

const IDS = Array.from({ length: 1000 }, (_, index) => `c${index}`);

test("all rows of a short list are on the screen", () => {
  assert.deepEqual(onScreen(IDS.slice(0, 200), 0, null), IDS.slice(0, 200));
});

test("of a long list, the rows around the visible ones are on the screen", () => {
  assert.deepEqual(onScreen(IDS, 0, null), IDS.slice(0, MOST_ON_SCREEN));
  assert.deepEqual(onScreen(IDS, 500, null), IDS.slice(425, 625));
  assert.deepEqual(onScreen(IDS, 999, null), IDS.slice(800));
});

test("scrolling within the stated rows states nothing new", () => {
  const stated = onScreen(IDS, 500, null);

  assert.equal(onScreen(IDS, 430, stated), stated);
  assert.equal(onScreen(IDS, 575, stated), stated);
  assert.notDeepEqual(onScreen(IDS, 576, stated), stated);
  assert.notDeepEqual(onScreen(IDS, 424, stated), stated);
});

test("rows of another order are stated again", () => {
  const stated = onScreen(IDS, 0, null);

  assert.deepEqual(onScreen([...IDS].reverse(), 0, stated), [...IDS].reverse().slice(0, MOST_ON_SCREEN));
});
