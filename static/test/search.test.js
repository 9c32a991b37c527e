import assert from "node:assert/strict";
import { test } from "node:test";
import { Search } from "../src/search.js";

/** @param {(query: string) => any} answer */
function searching(answer) {
  /** @type {any[]} */
  const shown = [];
  /** @type {string[]} */
  const asked = [];
  const ask = async (/** @type {any} */ { query }, /** @type {(one: any) => void} */ onResult) => {
    asked.push(query);
    for (const one of await answer(query)) onResult(one);
    return null;
  };
  return { asked, shown, search: new Search(/** @type {any} */ (ask), (results) => { shown.push(results); }) };
}

const settled = (ms = 200) => new Promise((resolve) => { setTimeout(resolve, ms); });

test("a search starts when typing pauses and shows results as they arrive", async () => {
  const { asked, shown, search } = searching(() => ["spring", "spring-2"]);
  for (const query of ["s", "sp", " spr "]) search.type(query);
  await settled();

  assert.deepEqual(asked, ["spr"]);
  assert.deepEqual(shown, [
    { found: [], searching: true, failure: null },
    { found: ["spring"], searching: true, failure: null },
    { found: ["spring", "spring-2"], searching: true, failure: null },
    { found: ["spring", "spring-2"], searching: false, failure: null },
  ]);
});

test("results of an earlier query are ignored", async () => {
  /** @type {(results: any[]) => void} */
  let late = () => {};
  const { shown, search } = searching((query) => (query === "slow" ? new Promise((resolve) => { late = resolve; }) : ["fast"]));
  search.type("slow");
  await settled();
  search.type("fast");
  await settled();
  late(["slow"]);
  await settled(10);

  assert.deepEqual(shown.at(-1), { found: ["fast"], searching: false, failure: null });
});

test("an empty query ends the search, and a failure is reported", async () => {
  const { asked, shown, search } = searching(() => { throw new Error("no connection"); });
  search.type("x");
  await settled();
  assert.deepEqual(shown.at(-1), { found: [], searching: false, failure: "no connection" });

  search.type("  ");
  await settled();
  assert.deepEqual(shown.at(-1), { found: null, searching: false, failure: null });
  assert.equal(asked.length, 1);
});
