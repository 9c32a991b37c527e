import assert from "node:assert/strict";
import { test } from "node:test";
import { HEIGHT, WIDTH, bars } from "../src/sparkline.js";

const HOUR = 3_600_000;

/** @param {[number, number][]} buckets hour and deliveries */
const timeline = (buckets) => ({
  id: "a", resolution: /** @type {const} */ ("hour"),
  buckets: buckets.map(([hour, deliveries]) => ({ at: hour * HOUR, deliveries, human_opens: 0 })),
});

test("the highest bar has the height of the sparkline, and gaps stay gaps", () => {
  const path = bars(timeline([[0, 5], [23, 10]]), "deliveries");

  assert.equal(path, `M0,${HEIGHT}v${-HEIGHT / 2}h4.25v${HEIGHT / 2}zM115,${HEIGHT}v${-HEIGHT}h4.25v${HEIGHT}z`);
  assert.equal(115 + WIDTH / 24, WIDTH);
});

test("small values are visible, and zeros are not drawn", () => {
  assert.match(bars(timeline([[0, 1], [1, 100_000]]), "deliveries"), /^M0,28v-1\.5h/);
  assert.equal(bars(timeline([[0, 5]]), "human_opens"), "");
  assert.equal(bars(timeline([]), "deliveries"), "");
});
