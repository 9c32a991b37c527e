import assert from "node:assert/strict";
import { test } from "node:test";
import { nextInGrid, nextInToolbar } from "../src/arrow-keys.js";

/** The title of a group is a single cell. */
const WIDTHS = [3, 1, 3];

test("the arrow keys of a toolbar lead from the last control to the first", () => {
  assert.deepEqual(nextInToolbar("ArrowRight", [3], [0, 0]), [0, 1]);
  assert.deepEqual(nextInToolbar("ArrowRight", [3], [0, 2]), [0, 0]);
  assert.deepEqual(nextInToolbar("ArrowLeft", [3], [0, 0]), [0, 2]);
  assert.deepEqual(nextInToolbar("Home", [3], [0, 1]), [0, 0]);
  assert.deepEqual(nextInToolbar("End", [3], [0, 1]), [0, 2]);
});

test("other keys do not move the focus", () => {
  for (const key of ["ArrowDown", "Tab", "Enter", " ", "Control+Home"]) assert.equal(nextInToolbar(key, [3], [0, 1]), null);
  for (const key of ["Tab", "Enter", " ", "Escape", "Control+ArrowDown"]) assert.equal(nextInGrid(key, WIDTHS, [0, 1]), null);
});

test("the arrow keys of a grid stop at its edges", () => {
  assert.deepEqual(nextInGrid("ArrowRight", WIDTHS, [0, 1]), [0, 2]);
  assert.deepEqual(nextInGrid("ArrowRight", WIDTHS, [0, 2]), [0, 2]);
  assert.deepEqual(nextInGrid("ArrowLeft", WIDTHS, [2, 0]), [2, 0]);
  assert.deepEqual(nextInGrid("ArrowUp", WIDTHS, [0, 1]), [0, 1]);
  assert.deepEqual(nextInGrid("ArrowDown", WIDTHS, [2, 1]), [2, 1]);
});

test("Home and End lead to the ends of a row, and with Control to those of the grid", () => {
  assert.deepEqual(nextInGrid("Home", WIDTHS, [2, 1]), [2, 0]);
  assert.deepEqual(nextInGrid("End", WIDTHS, [0, 0]), [0, 2]);
  assert.deepEqual(nextInGrid("Control+Home", WIDTHS, [2, 1]), [0, 0]);
  assert.deepEqual(nextInGrid("Control+End", WIDTHS, [0, 1]), [2, 2]);
});

test("up and down stay in their column, and pass over a row that has no such column", () => {
  assert.deepEqual(nextInGrid("ArrowDown", WIDTHS, [0, 2]), [2, 2]);
  assert.deepEqual(nextInGrid("ArrowUp", WIDTHS, [2, 2]), [0, 2]);
  assert.deepEqual(nextInGrid("ArrowDown", WIDTHS, [0, 0]), [1, 0]);
  assert.deepEqual(nextInGrid("ArrowUp", WIDTHS, [2, 0]), [1, 0]);
});
