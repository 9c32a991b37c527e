import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { chosenOf } from "../src/chosen.js";
import {
  ageOf, compareWith, decodeComparison, differInAge, isChanging, leadOf, shareAt, shares, youngest,
} from "../src/comparison.js";
import { createPoints, differenceOf } from "../src/differences.js";
import { counts, rates } from "./builders.js";

const HOUR = 3600;
const DAY = 24 * HOUR;
const AGES = [60, HOUR, 2 * HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY];

/** @param {string} id @param {number} opens of 100 deliveries @param {number} age in seconds */
const campaign = (id, opens, age = 30 * DAY) => {
  const ages = AGES.filter((one) => one <= age);
  return {
    id, counts: counts({ sends: 100, deliveries: 100, unique_human_opens: opens }),
    rates: { ...rates(), human_open: opens / 100 },
    curve: { ages, human_opens: ages.map((_, row) => Math.min(opens, row)), human_clicks: ages.map(() => 0) },
  };
};
/** @param {string} a @param {string} b @param {number} low @param {number} high */
const difference = (a, b, low, high) => ({ rate: "human_open", ids: [a, b], difference: (low + high) / 2, low, high });
/** @param {ReturnType<typeof campaign>[]} campaigns @param {object[]} differences */
const comparison = (campaigns, differences = []) => decodeComparison({ campaigns, differences });

const CLEAR = comparison([campaign("a", 10), campaign("b", 30)], [difference("a", "b", -0.3, -0.1)]);
const UNCLEAR = comparison([campaign("a", 29), campaign("b", 30)], [difference("a", "b", -0.14, 0.12)]);

test("the example of the contract is decoded", () => {
  const example = JSON.parse(readFileSync(new URL("../../tests/messages/reply-comparison.json", import.meta.url), "utf8"));
  const [spring, autumn] = decodeComparison(example.message).campaigns;

  assert.ok(spring && autumn);
  assert.equal(ageOf(spring), 900);
  assert.equal(shares(spring, "human_opens").at(-1), 231 / 1170);
});

test("an invalid comparison names the member", () => {
  const campaigns = [campaign("a", 10)];

  assert.throws(() => comparison(campaigns, [{ ...difference("a", "b", 0, 1), low: null }]), /comparison\.differences\[0\]\.low: expected a number/);
});

test("a difference is that of the campaign to the reference, whatever their order", () => {
  const { differences: all } = CLEAR;

  assert.deepEqual(differenceOf(all, "human_open", "b", "a"), { rate: "human_open", names: ["b", "a"], difference: 0.2, low: 0.1, high: 0.3 });
  assert.equal(differenceOf(all, "human_open", "a", "b")?.low, -0.3);
  assert.equal(differenceOf(all, "human_click", "a", "b"), null);
  assert.equal(differenceOf(all, "human_open", "a", "c"), null);
});

test("a difference is unclear if its interval contains 0", () => {
  const verdict = (/** @type {typeof CLEAR} */ one, from = 0, to = 1) => {
    const [reference, other] = [one.campaigns[from], one.campaigns[to]];
    assert.ok(reference && other);
    return compareWith(one, "human_open", other, reference)?.verdict;
  };

  assert.equal(verdict(CLEAR), "higher");
  assert.equal(verdict(CLEAR, 1, 0), "lower");
  assert.equal(verdict(UNCLEAR), "unclear");
  const touching = comparison([campaign("a", 10), campaign("b", 30)], [difference("a", "b", -0.3, 0)]);
  assert.equal(verdict(touching), "unclear");
});

test("a campaign that is younger is not called lower", () => {
  const one = comparison([campaign("a", 30), campaign("b", 10, 2 * HOUR)], [difference("a", "b", 0.1, 0.3)]);
  const [a, b] = one.campaigns;
  assert.ok(a && b);

  assert.equal(compareWith(one, "human_open", b, a)?.verdict, "age_differs");
  assert.deepEqual(youngest(one), { young: b, age: 2 * HOUR });
  assert.deepEqual([shareAt(a, "human_opens", 2 * HOUR), shareAt(b, "human_opens", 2 * HOUR)], [0.02, 0.02]);
});

test("campaigns of different ages are compared if the younger is three days old", () => {
  const aged = (/** @type {number} */ age) => comparison([campaign("a", 1, age)]).campaigns[0] ?? assert.fail();

  assert.equal(differInAge(aged(3 * DAY), aged(30 * DAY)), false);
  assert.equal(differInAge(aged(DAY), aged(30 * DAY)), true);
  assert.equal(differInAge(aged(DAY), aged(DAY)), false);
  assert.equal(youngest(CLEAR), null);
});

test("the best campaign leads clearly if it is clearly ahead of every other", () => {
  const three = [campaign("a", 10), campaign("b", 30), campaign("c", 29)];
  const apart = [difference("a", "b", -0.3, -0.1), difference("a", "c", -0.29, -0.09)];

  assert.equal(leadOf(CLEAR, "human_open")?.lead, "clear");
  assert.equal(leadOf(CLEAR, "human_open")?.best.id, "b");
  assert.equal(leadOf(CLEAR, "human_open")?.difference?.difference, 0.2);
  assert.equal(leadOf(UNCLEAR, "human_open")?.lead, "none");
  assert.equal(leadOf(comparison(three, [...apart, difference("b", "c", -0.1, 0.12)]), "human_open")?.lead, "unclear");
  assert.equal(leadOf(comparison(three, [...apart, difference("b", "c", 0.001, 0.02)]), "human_open")?.lead, "clear");
});

test("there is no lead if fewer than two campaigns have the rate", () => {
  assert.equal(leadOf(CLEAR, "human_click"), null);
});

test("a comparison is refreshed until every campaign is a week old", () => {
  assert.equal(isChanging(comparison([campaign("a", 1, 7 * DAY), campaign("b", 1)])), false);
  assert.equal(isChanging(comparison([campaign("a", 1, 3 * DAY), campaign("b", 1)])), true);
  assert.equal(isChanging(comparison([campaign("a", 1, 0), campaign("b", 1)])), true);
});

test("a share is never above 1, and unknown without deliveries", () => {
  const [a, b] = comparison([
    { ...campaign("a", 7), counts: counts({ deliveries: 3 }) }, { ...campaign("b", 7), counts: counts() },
  ]).campaigns;

  assert.ok(a && b);
  assert.deepEqual(shares(a, "human_opens"), [0, 1 / 3, 2 / 3, 1, 1, 1, 1]);
  assert.deepEqual(shares(b, "human_opens"), []);
  assert.equal(shareAt(b, "human_opens", HOUR), null);
});

test("a URL that names a campaign twice or more than six is cut", () => {
  assert.deepEqual(chosenOf(["a", "b", "a", ""]), { ids: ["a", "b"], left: [] });
  assert.deepEqual(chosenOf([..."abcdefgh"]), { ids: [..."abcdef"], left: ["g", "h"] });
});

test("points have a sign, and two digits if they are small", () => {
  const points = createPoints("en");

  assert.deepEqual([0.0546, -0.0546, 0.0045, -0.0045, 0].map((one) => points(one)), ["+5.5", "\u22125.5", "+0.45", "\u22120.45", "0.00"]);
  assert.equal(points(0.171, 0.0045), "+17.10");
});
