import assert from "node:assert/strict";
import { test } from "node:test";
import { createFormat } from "../src/format.js";
import { EMPTY, reduce } from "../src/state.js";
import { decodeJudgement, fewestOf, probabilitiesOf, tablesOf } from "../src/variants.js";
import { TOPIC, counts, push, rates, snapshot, summary } from "./builders.js";

/** @param {string} value @param {number} version @param {Record<string, number>} some counters @param {object} rest of the members */
const variant = (value, version, some = { deliveries: 10 }, rest = {}) => ({
  tag: "variant", value, version, counts: counts(some), rates: rates(), ...rest,
});

/** @param {object[]} changes of pushes, after a snapshot with the first */
function dataOf(first = {}, ...changes) {
  let state = reduce(EMPTY, { kind: "subscribing", id: TOPIC });
  state = reduce(state, snapshot({ ...summary(1, { deliveries: 1000, opens: 5 }), ...first }));
  for (const change of changes) state = reduce(state, push(change));
  const shown = state.get(TOPIC)?.shown;
  assert.ok(shown?.type === "campaign");
  return shown;
}
/** @param {import("../src/variants.js").Table | undefined} table */
const values = (table) => table?.rows.map(({ value, rest }) => (rest ? "(rest)" : value));
/** @param {number} from @param {number} to */
const numbered = (from, to) => Array.from({ length: to - from }, (_, n) => variant(`v${String(from + n).padStart(2, "0")}`, 1));

test("a campaign without variants has no tables", () => {
  assert.deepEqual(tablesOf(dataOf()), []);
});

test("a variant keeps the higher version, in any order of messages", () => {
  const [newer, older] = [variant("a", 5, { deliveries: 50 }), variant("a", 3, { deliveries: 30 })];

  for (const changes of [[newer, older], [older, newer], [newer, newer]]) {
    const [table] = tablesOf(dataOf({}, ...changes.map((one) => ({ variants: [one] }))));
    assert.equal(table?.rows[0]?.counts.deliveries, 50);
    assert.equal(table?.version, "5");
  }
});

test("a push without variants leaves them unchanged", () => {
  const data = dataOf({ variants: [variant("a", 1)] });

  assert.equal(dataOf({ variants: [variant("a", 1)] }, summary(2)).variants.size, data.variants.size);
});

test("tags have a table each, in text order, at most three", () => {
  const of = (/** @type {string} */ tag) => variant("x", 1, { sends: 1 }, { tag });
  const tables = tablesOf(dataOf({ variants: [of("d"), of("c"), of("b"), of("a")] }));

  assert.deepEqual(tables.map(({ tag }) => tag), ["a", "b", "c"]);
});

test("the first 20 values in text order are kept, in any order of messages", () => {
  const late = [variant("\u{1f600}", 1), variant("\uff5e", 1), variant("A", 1)];
  const tables = [[numbered(0, 18), late], [late, numbered(0, 18)]].map(
    ([first = [], then = []]) => tablesOf(dataOf({ variants: first }, { variants: then }))[0],
  );

  for (const table of tables) {
    assert.equal(table?.rows.length, 21);
    assert.equal(values(table)?.[0], "A");
    // By code point, U+FF5E precedes U+1F600; by UTF-16 code unit it would follow.
    assert.deepEqual(values(table)?.slice(-2), ["\uff5e", "(rest)"]);
  }
});

test("the rest is what the campaign counts besides, computed again after each push", () => {
  const rest = variant("other", 1, { deliveries: 800 }, { rest: true });
  const data = dataOf({ variants: [...numbered(0, 20), rest] }, summary(2, { deliveries: 1100 }));
  const row = tablesOf(data)[0]?.rows.at(-1);

  assert.equal(row?.rest, true);
  assert.equal(row?.counts.deliveries, 1100 - 20 * 10);
});

test("a value that is called other is not the rest", () => {
  const [table] = tablesOf(dataOf({ variants: [variant("other", 1), variant("a", 1)] }));

  assert.deepEqual(values(table), ["a", "other"]);
});

test("there is no rest if the campaign counts nothing besides, or a tag has few values", () => {
  const all = numbered(0, 20).map((one) => ({ ...one, counts: counts({ deliveries: 50, opens: 1 }) }));

  assert.equal(values(tablesOf(dataOf({ variants: all }))[0])?.length, 20);
  assert.equal(values(tablesOf(dataOf({ variants: numbered(0, 19) }))[0])?.length, 19);
});

test("values whose counters are back to 0 are hidden, and one value is not comparable", () => {
  const [table] = tablesOf(dataOf({ variants: [variant("a", 1, {}), variant("b", 1)] }));

  assert.deepEqual(values(table), ["b"]);
  assert.equal(table?.comparable, false);
  assert.equal(tablesOf(dataOf({ variants: numbered(0, 2) }))[0]?.comparable, true);
});

/** @param {[string, number, number | null][]} some values, their deliveries and probabilities */
const judgement = (...some) => decodeJudgement({
  tag: "variant", verdict: "too_early", best: null, differences: [],
  variants: some.map(([value, deliveries, probability]) => ({ value, deliveries, unique_human_clicks: 1, rate: 0.1, probability })),
});

test("the leader has the highest probability, although no variant is called best", () => {
  const found = probabilitiesOf(judgement(["a", 300, 0.1], ["b", 250, 0.87], ["c", 400, 0.03]));

  assert.deepEqual([...found], [["b", 0.87], ["a", 0.1], ["c", 0.03]]);
  assert.equal(probabilitiesOf(judgement(["a", 3, null], ["b", 250, null])).size, 0);
});

test("a probability that the server has rounded to 0 or 1 is not certain", () => {
  const format = createFormat("en");
  const found = probabilitiesOf(judgement(["a", 5850, 0], ["b", 5850, 1]));

  assert.deepEqual([...found.values()].map((one) => format.percent(one)), [">99.9%", "<0.1%"]);
});

test("the variant with the fewest deliveries says how many are missing", () => {
  assert.equal(fewestOf(judgement(["a", 300, null], ["b", 140, null]))?.value, "b");
});
