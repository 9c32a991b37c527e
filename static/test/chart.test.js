import assert from "node:assert/strict";
import { test } from "node:test";
import { createAxisFormat } from "../src/axis.js";
import { layoutOf } from "../src/chart.js";

const TEN = Date.UTC(2026, 10, 23, 10) / 1000;
const MINUTE = 60;

/** @param {number[][]} columns @param {object} some */
const layout = (columns, some = {}) => layoutOf({
  times: (columns[0] ?? []).map((_, row) => TEN + row * MINUTE), columns, shown: columns.map(() => true), step: MINUTE,
  zoom: null, width: 634, height: 170, em: 10, axis: createAxisFormat("en-GB", "UTC"), ...some,
});

test("all series are on one scale that begins at 0", () => {
  const { bars, lines, bottom } = layout([[400, 0], [100, 50]]);

  const heights = bars.map((path) => [...(path ?? "").matchAll(/v-([\d.]+)/g)].map(([, high]) => Number(high)));
  assert.deepEqual(heights.map(({ length }) => length), [1, 2], "0 has no bar");
  assert.equal(Math.round(Number(heights[0]?.[0]) / Number(heights[1]?.[0])), 4);
  assert.equal(lines[0]?.label, "0");
  assert.equal(lines[0]?.y, bottom);
});

test("the axis begins with the campaign, and a short campaign does not fill it", () => {
  const { left, xOf, ticks, bars } = layout([[5, 3]]);

  assert.equal(xOf(TEN), left);
  assert.equal(xOf(TEN + MINUTE) - left, 40);
  assert.match(bars[0] ?? "", /^M36,/);
  assert.deepEqual(ticks.map(({ label }) => label), ["10:00", "10:02"]);
});

test("no label is cut off", () => {
  const { ticks } = layout([new Array(120).fill(1)]);

  assert.ok(ticks.length >= 5);
  for (const { x, label } of ticks) {
    assert.ok(x - label.length * 2.8 >= 0, label);
    assert.ok(x + label.length * 2.8 <= 634, label);
  }
});

for (const locale of ["en-US", "en-GB", "ja-JP"]) {
  test(`no label in ${locale} lies over another one, at any width from 320 pixels`, () => {
    const midnight = Date.UTC(2026, 10, 24) / 1000;
    for (let width = 240; width < 1400; width += 3) {
      for (const minutes of [1, 2, 3, 7, 26, 61, 120]) {
        const times = Array.from({ length: minutes }, (_, row) => midnight + (row - Math.floor(minutes / 2)) * MINUTE);
        const { ticks } = layout([times.map(() => 1)], { times, width, axis: createAxisFormat(locale, "UTC") });

        assert.ok(ticks.length > 0);
        ticks.slice(1).forEach(({ x, label }, before) => {
          const { x: left, label: other } = ticks[before] ?? assert.fail();
          assert.ok(x - left > (em(label) + em(other)) / 2, `${other} and ${label} at ${width} pixels, of ${minutes} minutes`);
        });
      }
    }
  });
}

/** The width of a label in pixels, in a wide font of 10 pixels. @param {string} label */
const em = (label) => [...label].reduce((sum, one) => sum + (/[\u2e80-\uffff]/.test(one) ? 10 : 5.9), 0);

test("a zoomed chart has the scale of its range", () => {
  const { rowAt, lines } = layout([[1000, 1, 2, 3, 2, 1]], { zoom: [TEN + 2 * MINUTE, TEN + 5 * MINUTE] });

  assert.equal(rowAt(35), 2);
  assert.equal(rowAt(10), null);
  assert.deepEqual(lines.map(({ label }) => label), ["0", "1", "2", "3", "4"]);
});

test("a hidden series is not drawn and does not affect the scale", () => {
  const { bars, lines } = layout([[1000], [4]], { shown: [false, true] });

  assert.equal(bars[0], null);
  assert.equal(lines.at(-1)?.label, "4");
});

test("a chart without data has axes and no bars", () => {
  const { bars, ticks, lines } = layout([[]]);

  assert.deepEqual([bars, ticks, lines.length], [[""], [], 5]);
});
