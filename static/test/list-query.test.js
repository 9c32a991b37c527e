import assert from "node:assert/strict";
import { test } from "node:test";
import { NEWEST, SORTS, hides, isLive, keyOfList, listHash, parseQuery, requestOf, sortedBy } from "../src/list-query.js";
import { parseRoute } from "../src/route.js";

/** @param {string} hash */
const parsed = (hash) => {
  const route = parseRoute(hash);
  return parseQuery(route.view === "list" ? route.query : assert.fail(route.view));
};

const EVERYTHING = {
  search: "50 % off & more?", sort: "human_click", order: "asc", from: "2026-11-01", to: "2026-11-30",
  sender: "Grün #1", tag: "variant=b=2", tests: 1, rows: 150,
};

test("the live list has a URL without parameters", () => {
  assert.equal(listHash(NEWEST), "#/");
  for (const hash of ["", "#", "#/", "#/?"]) assert.deepEqual(parsed(hash), { query: NEWEST, problems: [] });
});

test("a URL holds the search, the filters, the order and the rows, and restores them", () => {
  assert.deepEqual(parsed(listHash(EVERYTHING)), { query: EVERYTHING, problems: [] });
});

for (const name of /** @type {(keyof typeof EVERYTHING)[]} */ (Object.keys(EVERYTHING))) {
  test(`a URL holds ${name} alone, without the defaults of the others`, () => {
    const query = { ...NEWEST, [name]: EVERYTHING[name] };

    assert.equal(listHash(query).split("&").length, 1);
    assert.deepEqual(parsed(listHash(query)), { query, problems: [] });
  });
}

test("a list can be sorted by each column, each rate, and the times", () => {
  assert.equal(new Set(SORTS).size, 16);
  for (const sort of SORTS) assert.deepEqual(parsed(`#/?sort=${sort}`).query, { ...NEWEST, sort });
});

const BAD = [
  ["sort=foo", "list.bad_sort"], ["order=up", "list.bad_order"], ["from=2026-02-30", "list.bad_from"],
  ["to=yesterday", "list.bad_to"], ["rows=0", "list.bad_rows"], ["rows=1001", "list.bad_rows"], ["rows=-5", "list.bad_rows"],
  ["rows=1e3", "list.bad_rows"], [`q=${"x".repeat(201)}`, "list.bad_q"], [`sender=${"x".repeat(201)}`, "list.bad_sender"],
  ["tag=variant", "list.bad_tag"], ["tag=%3Db", "list.bad_tag"], ["tag=variant%3D+", "list.bad_tag"], [`tag=a%3D${"x".repeat(200)}`, "list.bad_tag"], ["tag=", null],
  ["tests=0", null], ["tests=yes", "list.bad_tests"], ["tests=", "list.bad_tests"],
  ["colour=red", "list.bad_unknown"], ["constructor=1", "list.bad_unknown"], ["q=", null], ["from=", "list.bad_from"],
];
for (const [text, problem] of BAD) {
  test(`${String(text).slice(0, 20)} in a URL ${problem ? "is a problem, and has no effect" : "is valid"}`, () => {
    const { query, problems } = parsed(`#/?${text}`);

    assert.deepEqual(query, NEWEST);
    assert.deepEqual(problems.map((one) => one.text), problem ? [problem] : []);
  });
}

test("a repeated parameter and a period that ends before it begins are problems", () => {
  assert.deepEqual(parsed("#/?sort=sends&sort=readers"), {
    query: { ...NEWEST, sort: "sends" }, problems: [{ name: "sort", value: "readers", text: "list.bad_repeated" }],
  });
  const { query, problems } = parsed("#/?from=2026-11-30&to=2026-11-01&sort=sends");
  assert.deepEqual(query, { ...NEWEST, sort: "sends" });
  assert.equal(problems[0]?.text, "list.bad_period");
});

test("a valid parameter works beside an invalid one", () => {
  assert.deepEqual(parsed("#/?sort=sends&rows=many").query, { ...NEWEST, sort: "sends" });
});

test("only the number of rows leaves the list the same", () => {
  assert.equal(keyOfList({ ...EVERYTHING, rows: 50 }), keyOfList(EVERYTHING));
  assert.notEqual(keyOfList({ ...EVERYTHING, order: "desc" }), keyOfList(EVERYTHING));
  assert.ok(isLive({ ...NEWEST, rows: 200 }));
  assert.ok(!isLive({ ...NEWEST, sender: "green" }));
});

test("a column's header sorts by highest first, then lowest first, then as before", () => {
  const first = sortedBy({ ...NEWEST, search: "spring", rows: 500 }, "read");
  assert.deepEqual(first, { ...NEWEST, search: "spring", sort: "read" });
  const second = sortedBy(first, "read");
  assert.equal(second.order, "asc");
  assert.deepEqual(sortedBy(second, "read"), { ...NEWEST, search: "spring" });
  assert.deepEqual(sortedBy(second, "sends"), { ...NEWEST, search: "spring", sort: "sends" });
});

test("the request has the search and the filters that are set, and the totals", () => {
  const { search, tests, rows, ...others } = EVERYTHING;
  const filters = { ...others, tests: "shown" };
  assert.deepEqual(requestOf(EVERYTHING), { action: "listCampaigns", query: search, ...filters, totals: true });
  assert.deepEqual(requestOf({ ...EVERYTHING, search: "" }), { action: "listCampaigns", ...filters, totals: true });
  assert.deepEqual(requestOf({ ...NEWEST, sort: "sends" }), { action: "listCampaigns", sort: "sends", order: "desc", totals: true });
  assert.deepEqual([tests, rows], [1, 150]);
});

test("a test campaign is left out unless the query shows tests", () => {
  const [spring, draft] = [false, true].map((is) => /** @type {any} */ ({ campaign: { test: is } }));

  assert.ok(!hides(NEWEST, spring) && hides(NEWEST, draft));
  assert.ok(!hides({ ...NEWEST, tests: 1 }, draft));
  assert.ok(!isLive({ ...NEWEST, tests: 1 }));
});
