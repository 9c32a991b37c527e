import assert from "node:assert/strict";
import { test } from "node:test";
import { ageOfPace, comparedOf, lanesOf, levelOf, raceOf } from "../src/race.js";

const DAY = 86_400_000;
const NOW = { actual: 2683, expected: 2064, low: 1790, high: 2340 };

/** @param {Partial<import("../src/protocol.js").Pace>} [some] @returns {import("../src/protocol.js").Pace} */
const pace = (some) => ({
  version: 1, campaigns: 12, needed: null, human_opens: NOW, human_clicks: null,
  forecast: [{ hours: 24, human_opens: { expected: 3490, low: 3180, high: 3810 }, human_clicks: null }], ...some,
});

test("lengths on the track are proportional to counts, from 0", () => {
  const race = raceOf(pace());
  assert.ok(race);

  assert.equal(race.share(0), 0);
  assert.equal(race.share(race.now.actual) / race.share(race.now.expected), 2683 / 2064);
  assert.deepEqual(race.ticks, [0, 1000, 2000, 3000, 4000]);
  assert.equal(race.share(4000), 1);
});

for (const actual of [0, 1, 2340, 3810, 3811, 48_000, 7_654_321]) {
  test(`nothing of the race is cut off with ${actual} human opens`, () => {
    const race = raceOf(pace({ human_opens: { ...NOW, actual } }));
    assert.ok(race);

    for (const value of [actual, NOW.high, race.end?.high ?? 0, race.ticks.at(-1) ?? 0]) assert.ok(race.share(value) <= 1, `${value}`);
    assert.ok(race.ticks.length <= 6);
  });
}

test("where nothing can be said of opens, clicks race", () => {
  const clicks = { actual: 9, expected: 6, low: 3, high: 10 };

  assert.deepEqual(comparedOf(pace({ human_opens: null, human_clicks: clicks })), { metric: "human_clicks", now: clicks });
  assert.equal(raceOf(pace({ human_opens: null, human_clicks: clicks }))?.end, null);
});

test("without a pace there is no race", () => {
  for (const none of [null, undefined, pace({ human_opens: null })]) assert.equal(raceOf(none), null);
});

test("after 24 hours there is no forecast to reach", () => {
  assert.equal(raceOf(pace({ forecast: [] }))?.end, null);
});

test("only a count outside the usual range is above or below it", () => {
  const levels = [1789, 1790, 2340, 2341].map((actual) => levelOf({ ...NOW, actual }));

  assert.deepEqual(levels, ["below", "usual", "usual", "above"]);
});

test("the age of a pace is at most a week, after which none is computed", () => {
  assert.equal(ageOfPace(0, 3600), 3600);
  assert.equal(ageOfPace(0, 30 * DAY), 7 * DAY);
  assert.equal(ageOfPace(5000, 4000), 0);
  assert.equal(ageOfPace(null, 4000), 0);
});

test("several campaigns race by their ratios, on one scale from 0", () => {
  const [slow, fast, none] = [
    { id: "slow", pace: pace({ human_opens: { ...NOW, actual: 1032 } }) }, { id: "fast", pace: pace() }, { id: "none", pace: null },
  ];
  const { lanes, others, ticks, share } = lanesOf([slow, fast, none]);

  assert.deepEqual(lanes.map(({ one }) => one.id), ["fast", "slow"]);
  assert.deepEqual(others, [none]);
  assert.equal(lanes[1]?.ratio, 0.5);
  assert.deepEqual(ticks, [0, 0.5, 1, 1.5]);
  assert.equal(share(0.75), 0.5);
});

test("a lane that is many times as long as usual is not cut off", () => {
  const { lanes, ticks, share } = lanesOf([{ pace: pace({ human_opens: { ...NOW, actual: 50_000 } }) }]);

  assert.ok(share(lanes[0]?.ratio ?? 2) <= 1);
  assert.ok(ticks.length <= 6);
});
