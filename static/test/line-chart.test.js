import assert from "node:assert/strict";
import { test } from "node:test";
import { DASHES, createAges, linesOf, markOf } from "../src/line-chart.js";

const AGES = [60, 600, 3600, 6 * 3600, 86_400, 7 * 86_400];
const SIZE = { width: 600, height: 200, em: 10 };
const lines = (/** @type {number[][]} */ ...series) => linesOf({ ages: AGES, series, ...SIZE });

test("equal ratios of ages have equal distances", () => {
  const { xOf } = lines();

  assert.equal(Math.round(xOf(600) - xOf(60)), Math.round(xOf(6000) - xOf(600)));
  assert.ok(xOf(60) >= 34 && Math.round(xOf(7 * 86_400)) === 590);
});

test("the axis begins at 0 and ends above the highest share", () => {
  const { lines: grid, digits } = lines([0, 0.1, 0.2, 0.23]);

  assert.deepEqual(grid.map(({ value }) => Math.round(100 * value)), [0, 10, 20, 30]);
  assert.equal(digits, 0);
  assert.ok(grid.every(({ y }, n) => n === 0 || y < Number(grid[n - 1]?.y)));
});

test("small shares have digits on the axis", () => {
  assert.equal(lines([0, 0.012]).digits, 1);
  assert.equal(lines([0, 0.0012]).digits, 2);
  assert.ok(lines([0, 0]).lines.length > 1);
});

test("a line has a point for each share, and ends where the campaign's age does", () => {
  const { paths: [long = "", short = "", none], xOf } = lines([0, 0, 0.1, 0.1, 0.2, 0.2], [0, 0.1], []);

  assert.equal(long.match(/[ML]/g)?.length, 6);
  assert.ok(short.includes(`L${Math.round(xOf(600) * 10) / 10},`) && short.match(/[ML]/g)?.length === 2);
  assert.equal(none, "");
});

test("each line has its own dashes, mark, and places of marks", () => {
  const { marks } = lines(...DASHES.map(() => [0, 0.1, 0.1, 0.1, 0.1]));

  assert.equal(new Set(DASHES).size, 6);
  assert.equal(new Set(DASHES.map((_, number) => markOf(number, { x: 0, y: 0 }, 4))).size, 6);
  assert.notDeepEqual(marks[0]?.map(({ x }) => x), marks[1]?.map(({ x }) => x));
  assert.ok(marks.every((one) => one.at(-1)?.x === marks[0]?.at(-1)?.x));
});

test("the pointer finds the nearest age", () => {
  const { rowAt, xOf } = lines([0]);

  assert.equal(rowAt(xOf(3600) + 2), 2);
  assert.equal(rowAt(0), null);
  assert.equal(linesOf({ ages: [], series: [], ...SIZE }).rowAt(300), null);
});

test("labels of the axis do not overlap on a narrow screen", () => {
  const { ticks } = linesOf({ ages: AGES, series: [[0]], width: 240, height: 200, em: 10 });

  assert.ok(ticks.length >= 3);
  assert.ok(ticks.every(({ x }, n) => n === 0 || x - Number(ticks[n - 1]?.x) >= 30));
  assert.deepEqual(linesOf({ ages: [], series: [], ...SIZE }).ticks, []);
});

test("ages are named in their unit", () => {
  assert.deepEqual([60, 5400, 86_400, 129_600, 30].map(createAges("en")), ["1 min", "1 h 30 min", "1 d", "1 d 12 h", "30 s"]);
});
