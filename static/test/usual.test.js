import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { UsualFeed, readUsual } from "../src/usual.js";

/** @param {string} name */
const example = (name) => JSON.parse(readFileSync(new URL(`../../tests/messages/${name}.json`, import.meta.url), "utf8")).message;

/** A feed whose requests and timers a test answers. */
function feeding() {
  /** @type {{request: any, onResult: (result: any) => void, resolve: () => void, reject: (error: Error) => void}[]} */
  const asked = [];
  /** @type {Map<number, {run: () => void, ms: number}>} */
  const timers = new Map();
  let changes = 0;
  /** @type {any} */
  const ask = (/** @type {any} */ request, /** @type {any} */ onResult) => new Promise((resolve, reject) => {
    asked.push({ request, onResult, resolve: () => resolve(null), reject });
  });
  const feed = new UsualFeed(ask, () => { changes += 1; }, {
    random: () => 0.5,
    timers: {
      setTimeout: (run, ms) => { timers.set(timers.size, { run, ms }); return timers.size - 1; },
      clearTimeout: (timer) => { timers.delete(timer); },
    },
  });
  const elapse = () => [...timers.entries()].forEach(([timer, { run }]) => { timers.delete(timer); run(); });
  return { feed, asked, timers, elapse, changes: () => changes };
}

const settled = () => new Promise((resolve) => { setImmediate(resolve); });

test("each documented reply is read", () => {
  const usual = readUsual(example("reply-usual"), "usual");
  assert.equal(usual.campaigns, 12);
  assert.equal(usual.human_opens?.expected.length, usual.ages.length);
  assert.deepEqual(readUsual(example("reply-usual-without-history"), "usual").needed, 5);
  assert.equal(readUsual(example("reply-usual-unknown"), "usual").campaigns, null);
});

test("what is usual is requested once, and again with a new version after a minute", async () => {
  const { feed, asked, timers, elapse, changes } = feeding();

  feed.follow("spring", 1);
  feed.follow("spring", 1);
  assert.deepEqual(asked.map(({ request }) => request), [
    { action: "getUsual", id: "stats/email-campaign/spring", stream: false },
  ]);
  asked[0]?.onResult(example("reply-usual"));
  asked[0]?.resolve();
  await settled();
  assert.equal(feed.usual?.campaigns, 12);
  assert.equal(changes(), 1);

  feed.follow("spring", 2);
  assert.equal(asked.length, 1, "not within a minute");
  assert.deepEqual([...timers.values()].map(({ ms }) => ms), [62_500]);
  elapse();
  assert.equal(changes(), 2, "the view is drawn, and follows again");
  feed.follow("spring", 2);
  assert.equal(asked.length, 2);
});

test("the same version is not requested again, however long it lasts", () => {
  const { feed, asked, elapse } = feeding();

  feed.follow("spring", null);
  elapse();
  feed.follow("spring", null);

  assert.equal(asked.length, 1);
});

test("a request that failed is repeated after a minute, and what was known remains", async () => {
  const { feed, asked, elapse } = feeding();
  feed.follow("spring", 1);
  asked[0]?.onResult(example("reply-usual"));
  asked[0]?.resolve();
  await settled();
  elapse();
  feed.follow("spring", 2);
  asked[1]?.reject(new Error("offline"));
  await settled();

  assert.equal(feed.error?.message, "offline");
  assert.equal(feed.usual?.campaigns, 12);
  feed.follow("spring", 2);
  assert.equal(asked.length, 2);
  elapse();
  feed.follow("spring", 2);
  assert.equal(asked.length, 3);
});

test("a reply that cannot be read is an error", async () => {
  const { feed, asked } = feeding();
  feed.follow("spring", 1);
  asked[0]?.onResult({ campaigns: "many" });
  asked[0]?.resolve();
  await settled();

  assert.match(feed.error?.message ?? "", /usual.campaigns: expected a non-negative integer/);
  assert.equal(feed.usual, null);
});

test("nothing is requested after the view was left", () => {
  const { feed, timers } = feeding();
  feed.follow("spring", 1);

  feed.stop();

  assert.equal(timers.size, 0);
});
