import assert from "node:assert/strict";
import { test } from "node:test";
import { Listing } from "../src/listing.js";
import { NEWEST } from "../src/list-query.js";

/** @param {string} id */
const campaign = (id, at = 0, sends = 0) => ({ version: 1, campaign: { id, first_event_at: at, last_event_at: at }, counts: { sends }, rates: {} });

/** A server with these campaigns. @param {any[]} campaigns */
function server(campaigns) {
  /** @type {any[]} */
  const requests = [];
  const state = { broken: /** @type {any} */ (null), now: 1000, changes: 0 };
  const ask = async (/** @type {any} */ request, /** @type {any} */ onResult, /** @type {any} */ onPage) => {
    requests.push(request);
    if (state.broken) throw state.broken;
    const start = Number(request.cursor ?? 0);
    const end = start + request.limit;
    campaigns.slice(start, end).forEach(onResult);
    onPage({ results: [], hidden_tests: start ? 9 : 2, total: campaigns.length, totals: { counts: { sends: campaigns.length }, rates: {} } });
    return end < campaigns.length ? String(end) : null;
  };
  /** @param {any} query @param {string | null} [cursor] */
  const listing = (query, cursor) => new Listing(ask, query, () => state.now, () => { state.changes += 1; }, cursor);
  return { requests, state, listing };
}

const MANY = Array.from({ length: 317 }, (_, index) => campaign(`c${index}`));
const SORTED = { ...NEWEST, sort: "sends" };

test("pages are loaded and shown until there are enough rows", async () => {
  const { requests, state, listing } = server(MANY);
  const list = listing(SORTED);
  assert.ok(list.more);

  await list.load(150);
  assert.deepEqual(requests.map(({ limit, cursor }) => [limit, cursor]), [[100, undefined], [50, "100"]]);
  assert.equal(requests[0].stream, false);
  assert.equal(list.rows.length, 150);
  assert.equal(state.changes, 4); // begin, two pages, end
  await list.load(150);
  assert.equal(requests.length, 2);

  await list.load(1000);
  assert.equal(list.rows.length, 317);
  assert.ok(!list.more);
});

test("the totals, the number of hidden tests and the time are those of the first page", async () => {
  const { state, listing } = server(MANY);
  const list = listing(SORTED);
  await list.load(50);
  state.now = 2000;
  await list.load(100);

  assert.equal(list.asOf, 1000);
  assert.equal(list.total, 317);
  assert.equal(list.totals?.counts.sends, 317);
  assert.equal(list.hiddenTests, 2);
});

test("a campaign that moved to a later page meanwhile is listed once", async () => {
  const { listing } = server([campaign("a"), campaign("b"), campaign("a"), campaign("c")]);
  const list = listing(SORTED);
  await list.load(2);
  await list.load(4);

  assert.deepEqual(list.rows.map((one) => one.campaign.id), ["a", "b", "c"]);
});

test("a failure is kept until the next attempt, which continues where the list ended", async () => {
  const { state, requests, listing } = server(MANY);
  const list = listing(SORTED);
  await list.load(50);
  state.broken = Object.assign(new Error("no connection"), { code: "offline" });
  await list.load(100);
  assert.deepEqual(list.error, { code: "offline", message: "no connection" });
  assert.ok(list.retryable && !list.busy);
  assert.equal(list.rows.length, 50);

  state.broken = null;
  await list.load(100);
  assert.equal(list.error, null);
  assert.equal(list.rows.length, 100);
  assert.equal(requests.at(-1).cursor, "50");
});

test("an error of the request itself is not retried", async () => {
  const { state, listing } = server(MANY);
  state.broken = Object.assign(new Error("unknown column"), { code: "invalid_request" });
  const list = listing(SORTED);
  await list.load(50);

  assert.ok(list.error && !list.retryable);
  assert.equal(list.asOf, null);
});

test("a search is loaded page by page, as the other lists are", async () => {
  const { requests, listing } = server(MANY);
  const list = listing({ ...SORTED, search: "x", tag: "variant=b" });
  await list.load(150);

  assert.deepEqual(requests[0], {
    action: "listCampaigns", query: "x", sort: "sends", order: "desc", tag: "variant=b", totals: true, stream: false, limit: 100,
  });
  assert.equal(list.rows.length, 150);
  assert.ok(list.more);
});

test("older campaigns of the live list begin after a cursor", async () => {
  const { requests, listing } = server(MANY);
  const list = listing(null, "100");
  await list.load(50);

  assert.deepEqual(requests, [{ action: "listCampaigns", stream: false, limit: 50, cursor: "100" }]);
  assert.equal(list.rows[0]?.campaign.id, "c100");
});
