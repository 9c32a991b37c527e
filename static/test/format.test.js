import assert from "node:assert/strict";
import { test } from "node:test";
import { createAxisFormat } from "../src/axis.js";
import { age, createFormat } from "../src/format.js";

const format = createFormat("en-GB", "Europe/Zurich");
const NOON = Date.UTC(2026, 10, 23, 12, 4, 9);

test("digits are grouped as in the locale", () => {
  assert.equal(format.count(1234567), "1,234,567");
  assert.equal(createFormat("de-DE", "UTC").count(1234567), "1.234.567");
});

test("a locale that is no language tag is replaced with that of the page's texts", () => {
  assert.equal(createFormat("C", "UTC").count(1234567), "1,234,567");
  assert.equal(createFormat("C", "UTC").locale, "en");
});

for (const [fraction, digits, shown] of /** @type {[number | null, number, string][]} */ ([
  [null, 1, "–"],
  [0, 1, "0.0%"],
  [1, 1, "100.0%"],
  [0.4017, 1, "40.2%"],
  [0.00085, 2, "0.09%"],
  [0.0000001, 2, "<0.01%"],
  [0.0004, 1, "<0.1%"],
  [0.99999, 1, ">99.9%"],
  [1999 / 2000, 1, ">99.9%"],
  [19_999 / 20_000, 2, ">99.99%"],
  [199 / 200, 0, ">99%"],
  [1.2, 1, "120.0%"],
])) {
  test(`the rate ${fraction} is shown as ${shown}`, () => {
    assert.equal(format.percent(fraction, digits), shown);
  });
}

test("a time of another day has its date", () => {
  const local = createFormat("en-GB", "Europe/Zurich");
  const begun = Date.UTC(2026, 10, 23, 22, 50);

  assert.equal(local.clock(begun), "23:50");
  assert.equal(local.clock(begun, begun + 5 * 60_000), "23:50");
  assert.equal(local.clock(begun, begun + 15 * 60_000), "23 Nov 2026, 23:50");
  assert.equal(createFormat("en-GB", "UTC").clock(begun, begun + 15 * 60_000), "22:50");
  assert.equal(local.clock(null), "–");
});

test("several bars are named by their first and their last minute or day", () => {
  const day = Date.UTC(2026, 10, 23);
  const DAY = 86_400_000;
  /** Spaces around a dash depend on the runtime. @param {string} zone @param {number} from @param {number} to @param {"minute" | "day"} grain */
  const period = (zone, from, to, grain) => createFormat("en-GB", zone).bucket(from, grain, to).replace(/\s*–\s*/, "–");

  assert.equal(period("Europe/Zurich", day + 12 * 3_600_000, day + 13 * 3_600_000, "minute"), "23 Nov 2026, 13:00–13:59");
  assert.equal(period("UTC", day, day + 3 * DAY, "day"), "23–25 Nov 2026");
  assert.equal(period("UTC", day, day + DAY, "day"), "23 Nov 2026");
  assert.equal(period("America/New_York", day, day + DAY, "day"), "22 Nov 2026, 19:00–23 Nov 2026, 18:59");
});

test("times are in the chosen time zone, and a UTC day elsewhere has the time at which it begins", () => {
  assert.equal(format.dateTime(NOON), "23 Nov 2026, 13:04");
  assert.equal(format.moment(NOON), "23 Nov, 13:04:09");
  const day = Date.UTC(2026, 10, 23);
  assert.equal(createFormat("en-GB", "UTC").bucket(day, "day"), "23 Nov 2026");
  assert.equal(createFormat("en-GB", "America/New_York").bucket(day, "day"), "22 Nov 2026, 19:00");
  assert.equal(format.bucket(NOON, "hour"), "23 Nov 2026, 13:04");
  assert.equal(format.dateTime(null), "–");
  assert.equal(format.zone, "Europe/Zurich");
});

for (const [ms, shown] of /** @type {[number, string][]} */ ([
  [-5000, "just now"], [400, "just now"], [3000, "3 s ago"], [59_000, "59 s ago"],
  [60_000, "1 min ago"], [3_599_000, "59 min ago"], [7_200_000, "2 h ago"], [200_000_000, "2 d ago"],
])) {
  test(`${ms} ms ago is ${shown}`, () => assert.equal(age(ms), shown));
}

test("an axis shows the time of day, or the date at midnight and for days", () => {
  const axis = createAxisFormat("en-GB", "Europe/Zurich");

  assert.equal(axis.time(NOON, false), "13:04");
  assert.equal(axis.time(Date.UTC(2026, 10, 22, 23), false), "23 Nov");
  assert.equal(axis.time(NOON, true), "23 Nov");
  assert.match(axis.count(12_000), /^12k$/i);
});

test("an axis has ticks at round times and dates of its time zone", () => {
  const HOUR = 3_600_000;
  /** @param {string} zone @param {number} from @param {number} hours @param {number} least */
  const labels = (zone, from, hours, least) => createAxisFormat("en-GB", zone).ticks(from, from + hours * HOUR, least).map(({ label }) => label);

  assert.deepEqual(labels("Europe/Zurich", NOON, 1, HOUR / 5), ["13:15", "13:30", "13:45", "14:00"]);
  assert.deepEqual(labels("Asia/Kolkata", NOON, 7, 3 * HOUR), ["18:00", "21:00", "24 Nov"]);
  assert.deepEqual(labels("UTC", NOON, 72, 20 * HOUR), ["24 Nov", "25 Nov", "26 Nov"]);
});

test("the ticks of an axis stay round when summer time ends and begins", () => {
  const axis = createAxisFormat("en-GB", "Europe/Zurich");
  const DAY = 86_400_000;

  for (const from of [Date.UTC(2026, 9, 23, 22), Date.UTC(2026, 2, 27, 23)]) {
    const ticks = axis.ticks(from, from + 4 * DAY + DAY / 12, DAY);
    assert.equal(new Set(ticks.map(({ label }) => label)).size, 5);
    assert.ok(ticks.every(({ at }) => createFormat("en-GB", "Europe/Zurich").dateTime(at).endsWith("0:00")), JSON.stringify(ticks));
  }
});

test("the first tick of an axis that begins on the day of a change of the clock is round, too", () => {
  const HOUR = 3_600_000;
  /** @param {string} begin @param {number} hours @param {number} least in hours */
  const ticks = (begin, hours, least) => {
    const from = Date.parse(begin);
    return createAxisFormat("en-GB", "Europe/Zurich").ticks(from, from + hours * HOUR, least * HOUR)
      .map(({ at, label }) => `${label} ${new Date(at).toISOString().slice(5, 16)}`);
  };

  assert.deepEqual(ticks("2026-10-24T23:30Z", 50, 24), ["26 Oct 10-25T23:00", "27 Oct 10-26T23:00"]);
  assert.deepEqual(ticks("2026-03-28T23:30Z", 50, 24), ["30 Mar 03-29T22:00", "31 Mar 03-30T22:00"]);
  assert.deepEqual(ticks("2026-03-28T23:00Z", 6, 2), ["29 Mar 03-28T23:00", "4:00 03-29T02:00", "6:00 03-29T04:00"], "there is no 02:00");
});
