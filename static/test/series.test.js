import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOf } from "../src/series.js";

const TEN = Date.UTC(2026, 10, 23, 10);

/** @param {number} minutes after ten @param {Record<string, number>} counts */
const bucket = (minutes, counts) => ({ at: TEN + minutes * 60_000, version: 1, counts });

test("no buckets yield no rows", () => {
  assert.deepEqual(columnsOf([], "minute", ["sends", "opens"]), [[], [], []]);
});

test("gaps are filled with 0", () => {
  const [times, opens] = columnsOf([bucket(0, { opens: 2 }), bucket(40, { opens: 3 })], "minute", ["opens"]);

  assert.equal(times.length, 41);
  assert.equal(times[0], TEN / 1000);
  assert.equal(times[40], TEN / 1000 + 40 * 60);
  assert.deepEqual([opens?.[0], opens?.[1], opens?.[40]], [2, 0, 3]);
});

test("the rows begin with the campaign's first bucket", () => {
  assert.deepEqual(columnsOf([bucket(7, { sends: 5 })], "minute", ["sends"]), [[TEN / 1000 + 7 * 60], [5]]);
});
