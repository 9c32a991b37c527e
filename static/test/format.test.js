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

for (const [fraction, digits, shown] of /** @type {[number | null, number, string][]} */ ([
  [null, 1, "–"],
  [0, 1, "0.0%"],
  [1, 1, "100.0%"],
  [0.4017, 1, "40.2%"],
  [0.00085, 2, "0.09%"],
  [0.0000001, 2, "<0.01%"],
  [0.0004, 1, "<0.1%"],
  [0.99999, 1, ">99.9%"],
  [1.2, 1, "120.0%"],
])) {
  test(`the rate ${fraction} is shown as ${shown}`, () => {
    assert.equal(format.percent(fraction, digits), shown);
  });
}

test("times are in the reader's time zone, days are UTC days", () => {
  assert.equal(format.dateTime(NOON), "23 Nov 2026, 13:04");
  assert.equal(format.moment(NOON), "23 Nov, 13:04:09");
  assert.equal(createFormat("en-GB", "America/New_York").utcDay(Date.UTC(2026, 10, 23)), "23 Nov 2026");
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
