import assert from "node:assert/strict";
import { test } from "node:test";
import { Week } from "../src/week.js";

/** @param {Record<string, number>} hours @param {"minute" | "hour" | "day"} [resolution] */
const timeline = (hours, resolution = "hour") => ({
  id: "spring", resolution,
  buckets: Object.entries(hours).map(([at, opens]) => ({ at: Date.parse(at), deliveries: 0, human_opens: opens })),
});

/** @param {string} zone @param {Parameters<typeof timeline>[0][]} some */
function weekIn(zone, ...some) {
  const week = new Week(zone);
  for (const one of some) week.add(timeline(one));
  return week;
}

test("opens of all campaigns are added up by weekday and hour, beginning with Monday", () => {
  const week = weekIn("UTC", { "2026-11-23T10:00:00Z": 4, "2026-11-29T23:00:00Z": 1 }, { "2026-11-30T10:00:00Z": 5 }, {});

  assert.equal(week.opens[10], 9);
  assert.equal(week.opens[6 * 24 + 23], 1);
  assert.deepEqual([week.total, week.busiest, week.campaigns, week.minute], [10, 10, 2, 0]);
});

test("an hour is that of the zone at its time, in summer and in winter", () => {
  const week = weekIn("Europe/Berlin", { "2026-07-06T08:00:00Z": 1, "2026-11-23T09:00:00Z": 1, "2026-11-23T23:00:00Z": 1 });

  assert.equal(week.opens[10], 2);
  assert.equal(week.opens[24], 1);
});

test("where a zone differs by half an hour, hours begin at half past", () => {
  const week = weekIn("Asia/Kolkata", { "2026-11-23T10:00:00Z": 3 });

  assert.deepEqual([week.opens[15], week.minute], [3, 30]);
});

test("the shade is the share of the busiest hour, and only hours without opens have none", () => {
  const week = weekIn("UTC", { "2026-11-23T10:00:00Z": 100, "2026-11-23T11:00:00Z": 41, "2026-11-23T12:00:00Z": 1 });

  assert.deepEqual([10, 11, 12, 13].map((hour) => week.shade(hour)), [5, 3, 1, 0]);
});

test("days do not say at which hour, and are left out", () => {
  const week = new Week("UTC");
  week.add(timeline({ "2026-11-23T00:00:00Z": 9 }, "day"));

  assert.deepEqual([week.total, week.busiest], [0, null]);
});
