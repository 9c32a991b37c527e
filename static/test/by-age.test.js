import assert from "node:assert/strict";
import { test } from "node:test";
import { LAST, comparisonOf, countAt, layoutOf, lineOf, valueAt } from "../src/by-age.js";
import { EMPTY, reduce } from "../src/state.js";
import { TOPIC, snapshot, summary } from "./builders.js";

const START = Date.parse("2026-11-23T10:00:30Z");
const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** @param {string} at @param {number} opens @returns a bucket */
const of = (at, opens) => ({ at: `2026-11-${at}Z`, version: 1, opens: 1, unique_human_opens: opens, unique_human_clicks: 1 });

/**
 * The data of a campaign that began half a minute past ten.
 * @param {number} total @param {object} timeline
 */
function campaign(total, timeline) {
  const about = summary(1, { unique_human_opens: total, unique_human_clicks: 3 });
  const first_event_at = new Date(START).toISOString();
  const body = { ...about, campaign: { ...about.campaign, first_event_at }, timeline };
  const subscribing = reduce(EMPTY, { kind: "subscribing", id: TOPIC });
  const shown = reduce(subscribing, snapshot(body)).get(TOPIC)?.shown;
  return shown?.type === "campaign" ? shown : assert.fail("no campaign");
}

/** @param {ReturnType<typeof campaign>} data @param {number} seconds after the first event */
const line = (data, seconds) => lineOf(data, "human_opens", START + seconds * 1000);

test("the count rises from 0 at the first event to the total now, by minute", () => {
  const data = campaign(9, { minute: [of("23T10:00:00", 2), of("23T10:01:00", 3), of("23T10:02:00", 4)] });

  assert.deepEqual(line(data, 160), [
    { age: 0, count: 0 }, { age: 30, count: 2 }, { age: 90, count: 5 }, { age: 150, count: 9 }, { age: 160, count: 9 },
  ]);
});

test("the line ends now, in the middle of a minute", () => {
  const data = campaign(9, { minute: [of("23T10:00:00", 2), of("23T10:01:00", 7)] });

  assert.deepEqual(line(data, 40), [{ age: 0, count: 0 }, { age: 30, count: 2 }, { age: 40, count: 9 }]);
});

test("minutes without events are flat", () => {
  const data = campaign(9, { minute: [of("23T10:00:00", 2), of("23T10:05:00", 7)] });

  assert.equal(countAt(line(data, 360), 4 * MINUTE), 2);
});

test("before the known minutes, the line has hours, and before these days", () => {
  const data = campaign(100, {
    minute: [of("26T14:05:00", 10)],
    hour: [of("26T13:00:00", 15), of("26T14:00:00", 10), of("24T09:00:00", 5)],
    day: [of("23T00:00:00", 70), of("24T00:00:00", 5), of("26T00:00:00", 25)],
  });
  const ages = Object.fromEntries(line(data, 77 * HOUR).map(({ age, count }) => [age + 30, count]));

  assert.equal(ages[14 * HOUR], 70, "the end of the first day");
  assert.equal(ages[24 * HOUR], 75, "the end of an hour");
  assert.equal(ages[75 * HOUR], 75, "the start of an hour");
  assert.equal(ages[76 * HOUR], 90);
  assert.equal(ages[76 * HOUR + 6 * MINUTE], 100);
  assert.equal(ages[0], undefined, "nothing is known within the first day");
});

test("the line never falls, also while its parts have different versions", () => {
  const ahead = campaign(5, { minute: [of("23T10:00:00", 2), of("23T10:01:00", 3), of("23T10:02:00", 4)] });
  const behind = campaign(100, {
    minute: [of("23T14:05:00", 10)], hour: [of("23T13:00:00", 90), of("23T14:00:00", 4)], day: [of("23T00:00:00", 94)],
  });
  for (const [data, seconds] of /** @type {const} */ ([[ahead, 200], [behind, 5 * HOUR]])) {
    const counts = line(data, seconds).map(({ count }) => count);
    assert.deepEqual(counts, [...counts].sort((a, b) => a - b));
    assert.ok(counts.every((one) => one >= 0));
  }
});

test("there is no line before the first event", () => {
  assert.deepEqual(lineOf({ ...campaign(1, {}), summary: null }, "human_opens", START), []);
});

test("a value between two ages is interpolated, and unknown outside", () => {
  assert.equal(valueAt([0, 60, 120], [0, 10, 30], 60), 10);
  const between = valueAt([0, 60, 120], [0, 10, 30], 90) ?? 0;
  assert.ok(between > 20 && between < 25, String(between));
  assert.equal(valueAt([60, 120], [10, 30], 30), null);
  assert.equal(valueAt([60, 120], [10, 30], 121), null);
  assert.equal(valueAt([0, 60], [4, 10], 0), 4);
});

const USUAL = {
  campaigns: 12, needed: null, started_at: START, ages: [0, 60, HOUR, LAST],
  human_opens: { low: [0, 1, 8, 40], expected: [0, 2, 10, 50], high: [1, 4, 14, 70] }, human_clicks: null,
};

test("a campaign is compared at its present age", () => {
  const now = [{ age: 0, count: 0 }, { age: HOUR, count: 13 }];

  assert.deepEqual(comparisonOf(USUAL, "human_opens", now), { age: HOUR, actual: 13, low: 8, expected: 10, high: 14 });
  assert.equal(comparisonOf(USUAL, "human_clicks", now), null);
  assert.equal(comparisonOf(null, "human_opens", now), null);
  assert.equal(comparisonOf(USUAL, "human_opens", []), null);
});

test("a campaign of more than 7 days is compared at 7 days", () => {
  const old = [{ age: 0, count: 0 }, { age: LAST, count: 44 }, { age: 2 * LAST, count: 90 }];

  assert.deepEqual(comparisonOf(USUAL, "human_opens", old), { age: LAST, actual: 44, low: 40, expected: 50, high: 70 });
});

test("a count between two known ones is whole, so that the sentence agrees with the numbers in it", () => {
  const old = [{ age: 0, count: 0 }, { age: LAST - HOUR, count: 70 }, { age: LAST + 3 * HOUR, count: 71 }];

  assert.equal(comparisonOf(USUAL, "human_opens", old)?.actual, 70);
});

/** @param {object} some */
const layout = (some = {}) => layoutOf({
  line: [{ age: 0, count: 0 }, { age: HOUR, count: 13 }], usual: USUAL, metric: "human_opens",
  width: 600, height: 200, em: 10, count: String, ...some,
});

test("the axis has labels that do not overlap, on a phone, too", () => {
  assert.deepEqual(layout().ticks.map(({ age }) => age).slice(0, 4), [LAST, HOUR, 300, 24 * HOUR]);
  const phone = layout({ width: 300 }).ticks.map(({ x }) => x).sort((a, b) => a - b);
  assert.ok(phone.length >= 4);
  assert.ok(phone.every((x, index) => index === 0 || x - (phone[index - 1] ?? 0) >= 46));
});

test("an age has a position, and a position its age", () => {
  const { xOf, ageAt, left } = layout();

  assert.equal(xOf(0), left);
  for (const age of [MINUTE, HOUR, LAST - 1]) assert.ok(Math.abs((ageAt(xOf(age)) ?? 0) / age - 1) < 1e-9);
  assert.equal(ageAt(left - 1), null);
});

test("the band closes, and the line ends at the present age", () => {
  const { band, expected, line: course, end, xOf } = layout();

  assert.match(band ?? "", /^M.*z$/);
  assert.equal(band?.split("L").length, 8);
  assert.equal(expected?.split("L").length, 4);
  assert.equal(course?.split("L").length, 2);
  assert.equal(end?.x, xOf(HOUR));
});

test("without enough history, there is only the line", () => {
  const { band, expected, line: course } = layout({ usual: { ...USUAL, ages: [], human_opens: null } });

  assert.deepEqual([band, expected], [null, null]);
  assert.ok(course);
});

test("the line of an old campaign ends with the axis", () => {
  const { end, xOf } = layout({ line: [{ age: HOUR, count: 5 }, { age: 2 * LAST, count: 60 }] });

  assert.equal(end?.x, xOf(LAST));
});
