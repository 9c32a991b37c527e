import assert from "node:assert/strict";
import { test } from "node:test";
import { Feed } from "../src/feed.js";

/** A server with these events, newest first, in pages of two. */
function server() {
  /** @type {any[]} */
  const events = [];
  /** @type {any[]} */
  const requests = [];
  let broken = false;
  return {
    events,
    requests,
    /** @param {boolean} value */
    breaks(value) { broken = value; },
    /** @param {any} request @param {(one: any) => void} onResult */
    async ask(request, onResult) {
      requests.push(request);
      if (broken) throw new Error("no connection");
      const start = Number(request.cursor ?? 0);
      events.slice(start, start + 2).forEach(onResult);
      return start + 2 < events.length ? String(start + 2) : null;
    },
  };
}

/** @param {number} at @param {string} id */
const open = (at, id, engager = "human") => ({
  at, type: "Open", message_id: id, recipient: null, link: null, engager, reason: null, bounce_type: null, detail: null,
});

/** @param {Feed} feed */
const ids = (feed) => feed.rows.map((row) => row.message_id).join(" ");

function feedOf(once = false) {
  const source = server();
  let changes = 0;
  const feed = new Feed(/** @type {any} */ (source.ask), { action: "listActivity" }, once, () => { changes += 1; });
  return { source, feed, changes: () => changes };
}

test("pages are loaded one by one to the end", async () => {
  const { source, feed, changes } = feedOf();
  source.events.push(open(5, "e"), open(4, "d"), open(3, "c"), open(2, "b"), open(1, "a"));

  await feed.refresh();
  assert.equal(ids(feed), "e d");
  assert.ok(feed.more && !feed.paged);
  await feed.next();
  await feed.next();

  assert.equal(ids(feed), "e d c b a");
  assert.ok(!feed.more && feed.paged);
  assert.equal(changes(), 6, "once per request, and once per response");
});

test("a refresh replaces the newest page, without reclassified or older events", async () => {
  const { source, feed } = feedOf();
  source.events.push(open(3, "c"), open(2, "b"), open(1, "a"));
  await feed.refresh();
  source.events.splice(0, 1, open(4, "d"));
  await feed.refresh();
  assert.equal(ids(feed), "d b");

  source.events.unshift(open(6, "f"), open(5, "e"));
  await feed.refresh();
  assert.equal(ids(feed), "f e");
});

test("the next page that is requested during a refresh is loaded once, after it", async () => {
  const { source, feed } = feedOf();
  source.events.push(open(5, "e"), open(4, "d"), open(3, "c"), open(2, "b"), open(1, "a"));
  await feed.refresh();

  source.events.unshift(open(6, "f"));
  const refreshed = feed.refresh();
  await Promise.all([feed.next(), feed.next(), refreshed]);

  assert.equal(ids(feed), "f e d c");
  assert.ok(feed.paged && !feed.busy);
});

test("pages without events are skipped until one has events, or until the end", async () => {
  const { source, feed } = feedOf();
  let pages = 0;
  const rare = new Feed(/** @type {any} */ (async (/** @type {any} */ { cursor }, /** @type {any} */ onResult) => {
    pages += 1;
    if (cursor === "3") onResult(open(1, "a"));
    return cursor === "3" ? null : String(Number(cursor ?? 0) + 1);
  }), { action: "listActivity" }, false, () => {});
  await rare.refresh();
  assert.equal(ids(rare), "a");
  assert.equal(pages, 4);

  await feed.refresh();
  assert.equal(source.requests.length, 1);
  assert.equal(feed.more, false);
});

test("a feed that is stopped requests no further page", async () => {
  let pages = 0;
  const rare = new Feed(/** @type {any} */ (async () => {
    pages += 1;
    if (pages === 2) rare.stopped = true;
    return pages === 9 ? null : "more";
  }), { action: "listActivity" }, false, () => {});
  await rare.refresh();

  assert.equal(pages, 2);
});

test("a message that counts once is listed once, with its latest event", async () => {
  const { source, feed } = feedOf(true);
  source.events.push(open(4, "a"), open(3, "b"), open(2, "a"), open(1, "c"));
  await feed.refresh();
  await feed.next();

  assert.equal(ids(feed), "a b c");
});

test("the error of a failed request is kept until one succeeds, and loaded events are kept", async () => {
  const { source, feed } = feedOf();
  source.events.push(open(1, "a"));
  await feed.refresh();
  source.breaks(true);
  await feed.refresh();
  assert.equal(feed.error?.message, "no connection");
  assert.equal(feed.retryable, false, "it is not a known transient error");
  assert.equal(ids(feed), "a");

  source.breaks(false);
  await feed.refresh();
  assert.equal(feed.error, null);
});
