import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { chosenOf } from "../src/chosen.js";
import {
  ageOf, comparableOf, compareWith, decodeComparison, isChanging, leadOf, shares,
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
/** @param {string} a @param {string} b @param {number} low @param {number} high @param {object | null} [at_same_age] */
const difference = (a, b, low, high, at_same_age = null) => (
  { rate: "human_open", ids: [a, b], difference: (low + high) / 2, low, high, at_same_age });
/** @param {ReturnType<typeof campaign>[]} campaigns @param {object[]} differences @param {number | null} same_age */
const comparison = (campaigns, differences = [], same_age = null) => decodeComparison({ campaigns, same_age, differences });

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

  assert.deepEqual(differenceOf(all, "human_open", "b", "a"), { rate: "human_open", names: ["b", "a"], difference: 0.2, low: 0.1, high: 0.3, at_same_age: null });
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

test("with a young campaign, the human opens of all are compared at its age", () => {
  // After two hours, 2 of 100 emails of each were opened; the young campaign has 10 by now.
  const all = comparison(
    [campaign("a", 30), campaign("b", 10, 2 * HOUR)],
    [difference("a", "b", 0.1, 0.3, { difference: 0, low: -0.1, high: 0.1 })], 2 * HOUR,
  );
  const { comparison: same, young } = comparableOf(all);
  const [a, b] = same.campaigns;
  assert.ok(a && b);

  assert.equal(young?.id, "b");
  assert.deepEqual([a.rates.human_open, a.counts.unique_human_opens], [0.02, 2]);
  assert.deepEqual([b.rates.human_open, b.counts.unique_human_opens], [0.02, 2]);
  assert.equal(compareWith(same, "human_open", b, a)?.verdict, "unclear");
  assert.equal(leadOf(same, "human_open")?.lead, "none");
  assert.equal(all.campaigns[0]?.rates.human_open, 0.3, "the totals are unchanged");
});

test("an unknown rate is not known at an earlier age", () => {
  const { comparison: same } = comparableOf(comparison([campaign("a", 30), campaign("b", 10, 2 * HOUR)], [], 2 * HOUR));

  assert.deepEqual(same.campaigns.map(({ rates: { human_click } }) => human_click), [null, null]);
});

test("totals are compared if every campaign with deliveries is three days old", () => {
  const young = (/** @type {number[]} */ ...ages) => comparableOf(comparison(ages.map((age, n) => campaign(`c${n}`, 1, age)))).young?.id;
  const empty = { ...campaign("empty", 0, 0), counts: counts() };

  assert.equal(young(3 * DAY, 30 * DAY), undefined);
  assert.equal(young(30 * DAY, DAY), "c1");
  assert.equal(young(DAY, DAY), "c0");
  assert.deepEqual(comparableOf(CLEAR), { comparison: CLEAR, young: null });
  const one = comparison([empty, campaign("a", 1), campaign("b", 1)]);
  assert.deepEqual(comparableOf(one), { comparison: one, young: null });
});

test("within the first minute of a campaign, there is nothing to compare yet", () => {
  const { comparison: same, young } = comparableOf(comparison([campaign("a", 30), campaign("b", 1, 0)], [difference("a", "b", 0.2, 0.3)]));

  assert.equal(young?.id, "b");
  assert.deepEqual([same.differences, leadOf(same, "human_open")], [[], null]);
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
