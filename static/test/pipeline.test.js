import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { createFormat } from "../src/format.js";
import {
  about, comparisonOf, countsTooLittle, delaysOf, hopsOf, isBelowReview, isConspicuous, kindOf, lasting, lineOf, metricsOf, recountsOf,
  unexplainedOf,
} from "../src/pipeline.js";
import { HEALTH_TOPIC } from "../src/protocol.js";
import { EMPTY, reduce } from "../src/state.js";
import { message, push } from "./builders.js";

/** @param {string} name */
const example = (name) => JSON.parse(readFileSync(new URL(`../../tests/messages/${name}.json`, import.meta.url), "utf8")).message;
const SNAPSHOT = example("reply-snapshot-health").snapshot;
const NOW = Date.parse("2026-11-23T12:00:00Z");
const FORMAT = createFormat("en", "UTC");
/** @param {number[]} delays in milliseconds */
const arrivals = (...delays) => delays.map((delay, index) => ({ at: NOW - 1000 * index, delay }));
const DELAYS = delaysOf(SNAPSHOT.delays) ?? assert.fail();
const COMPARED = comparisonOf(SNAPSHOT.reconciliation) ?? assert.fail();
const RUNWAY = COMPARED.runways[1] ?? assert.fail();

test("the page adds what the whole way takes beyond counting", () => {
  const hops = hopsOf(DELAYS, arrivals(2500, 2900, 6000), NOW);

  assert.deepEqual(hops.map(({ hop }) => hop), ["ses", "queue", "count", "page", "total"]);
  assert.ok(Math.abs((hops[3]?.p50 ?? 0) - 0.8) < 1e-9);
  assert.ok(Math.abs((hops[4]?.p50 ?? 0) - 2.9) < 1e-9);
  assert.ok(Math.abs((hops[4]?.p99 ?? 0) - 6) < 1e-9);
});

test("without recent arrivals, the time to the page is unknown and the whole ends with counting", () => {
  for (const some of [[], arrivals(3_600_000), [{ at: NOW - 300_000, delay: 2500 }]]) {
    const hops = hopsOf(DELAYS, some, NOW);

    assert.deepEqual(hops[3], { hop: "page", p50: null, p99: null });
    assert.equal(hops[4]?.p50, 2.1);
  }
});

test("a hop that no event has taken is unknown, and so is the page's part without a whole", () => {
  const hops = hopsOf(DELAYS.filter(({ hop }) => hop === "queue"), arrivals(2500), NOW);

  assert.deepEqual(hops.map(({ p50 }) => p50 !== null), [false, true, false, false, false]);
});

test("a clock that is behind adds nothing", () => {
  assert.equal(hopsOf(DELAYS, arrivals(-4000), NOW)[3]?.p50, 0);
});

test("what a later release sends in another form is unknown, and so is what is missing", () => {
  assert.equal(delaysOf([{ hop: 7 }]), null);
  assert.equal(delaysOf(null), null);
  assert.equal(comparisonOf({ day: "2026-11-22" }), null);
  assert.equal(comparisonOf(null), null);
  assert.equal(recountsOf(7), null);
  assert.deepEqual(recountsOf([]), []);
});

test("metrics of which nothing happened are left out", () => {
  assert.deepEqual(metricsOf(COMPARED).map(({ metric }) => metric), ["sends", "deliveries", "bounces", "complaints", "opens", "clicks"]);
});

test("a difference is conspicuous if more than a thousandth of SES's number is unexplained", () => {
  const [sends = assert.fail()] = COMPARED.metrics;

  assert.equal(isConspicuous({ ...sends, ses: 3000, unexplained: -3 }), false);
  assert.equal(isConspicuous({ ...sends, ses: 3000, unexplained: 4 }), true);
  assert.equal(isConspicuous({ ...sends, ses: null, unexplained: 0 }), false);
  assert.equal(unexplainedOf(COMPARED), 3);
});

test("a runway is worded by what is known of it", () => {
  assert.equal(kindOf(RUNWAY), "range");
  assert.equal(kindOf({ ...RUNWAY, low: 41, high: 41 }), "about");
  assert.equal(kindOf({ ...RUNWAY, is_most: true }), "most");
  assert.equal(kindOf({ ...RUNWAY, remaining: null }), "unknown");
  assert.equal(kindOf({ ...RUNWAY, line: null, remaining: null }), "over");
  assert.deepEqual([lineOf(RUNWAY), lineOf({ ...RUNWAY, line: null })], [0.001, 0.005]);
  assert.deepEqual([isBelowReview(RUNWAY), isBelowReview({ ...RUNWAY, line: 0.005 })], [true, false]);
  assert.deepEqual([0, 41, 99, 187, 17_321].map(about), [0, 41, 99, 180, 17_000]);
});

test("an account of which much is not counted is named", () => {
  assert.deepEqual([null, 0.9, 0.89].map((share) => countsTooLittle({ ...COMPARED, share })), [false, false, true]);
});

test("seconds have the digits that matter", () => {
  assert.deepEqual([null, 0.06, 0.87, 9.94, 9.96, 119, 180].map((one) => lasting(one, FORMAT)),
    ["–", "< 0.1 s", "0.9 s", "9.9 s", "10 s", "119 s", "3 min"]);
});

/** @param {object} first the snapshot @param {object[]} changes of pushes, in order @returns {any} what is shown */
function merged(first, ...changes) {
  const snapshot = message({ request_id: 1, action: "subscribe", id: HEALTH_TOPIC, snapshot: first });
  let state = reduce(reduce(EMPTY, { kind: "subscribing", id: HEALTH_TOPIC }), /** @type {any} */ (snapshot));
  for (const change of changes) state = reduce(state, push(change, HEALTH_TOPIC));
  return state.get(HEALTH_TOPIC)?.shown;
}

test("a push without results keeps the known ones, and an older snapshot does not replace later ones", () => {
  const { reconciliation, recounts, ...health } = SNAPSHOT;
  const later = { ...reconciliation, compared_at: "2026-11-24T01:30:00Z" };
  const before = { ...reconciliation, compared_at: "2026-11-22T01:30:00Z" };

  const whole = merged({ ...SNAPSHOT, reconciliation: later }, { ...health, version: 2000 });
  assert.equal(whole.version, 2000);
  assert.deepEqual(whole.results, { reconciliation: later, recounts });

  const older = merged({ ...SNAPSHOT, reconciliation: later }, { ...SNAPSHOT, version: 1, reconciliation: before, recounts: [] });
  assert.equal(older.version, SNAPSHOT.version);
  assert.deepEqual(older.results, { reconciliation: later, recounts });
});
