import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Connection, RequestError } from "../src/connection.js";
import { TOPIC, summary } from "./builders.js";

/** A clock that a test advances. */
class Clock {
  now = 0;
  #last = 0;
  /** @type {Map<number, {at: number, run: () => void}>} */
  #timers = new Map();

  /** @param {() => void} run @param {number} ms */
  setTimeout = (run, ms) => {
    this.#timers.set(++this.#last, { at: this.now + ms, run });
    return this.#last;
  };

  /** @param {number} timer */
  clearTimeout = (timer) => { this.#timers.delete(timer); };

  /** @param {number} ms */
  pass(ms) {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.now = due[1].at;
      due[1].run();
    }
    this.now = end;
  }
}

class FakeSocket {
  readyState = /** @type {0 | 1 | 2 | 3} */ (0);
  /** @type {any[]} */
  sent = [];
  /** @type {any} */ onopen = null;
  /** @type {any} */ onmessage = null;
  /** @type {any} */ onclose = null;

  /** @param {string} text */
  send(text) { this.sent.push(JSON.parse(text)); }

  close() { this.readyState = 3; }

  opens() {
    this.readyState = 1;
    this.onopen?.();
  }

  drops() {
    this.readyState = 3;
    this.onclose?.();
  }

  /** @param {object | string} frame */
  says(frame) {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  /** Reply to the last request of this action, as the server would. @param {string} action */
  answers(action) {
    const { request_id, id } = this.sent.findLast((request) => request.action === action);
    this.says({ request_id, action, id, ...(action === "subscribe" && { snapshot: summary(1) }) });
  }
}

/** @type {Clock} */ let clock;
/** @type {FakeSocket[]} */ let sockets;
/** @type {any[]} */ let changes;
/** @type {Error[]} */ let unreadable;
/** @type {import("../src/connection.js").Status} */ let status;
/** @type {Connection} */ let connection;
let online = true;
let random = 1;

beforeEach(() => {
  clock = new Clock();
  sockets = [];
  changes = [];
  unreadable = [];
  online = true;
  random = 1;
  connection = new Connection({
    open: () => {
      sockets.push(new FakeSocket());
      return latest();
    },
    onChange: (change) => { changes.push(change); },
    onStatus: (news) => { status = news; },
    onUnreadable: (error) => { unreadable.push(error); },
    isOnline: () => online,
    now: () => clock.now,
    random: () => random,
    timers: clock,
  });
});

const latest = () => /** @type {FakeSocket} */ (sockets.at(-1));
const actions = () => latest().sent.map((request) => request.action);

function becomeLive() {
  connection.subscribe(TOPIC);
  connection.start();
  latest().opens();
  latest().answers("subscribe");
  assert.equal(status.state, "live");
}

test("the state is connecting until every subscription has a reply, then live", () => {
  connection.subscribe(TOPIC);
  connection.start();
  assert.equal(status.state, "connecting");
  latest().opens();
  assert.equal(status.state, "connecting");

  latest().answers("subscribe");

  assert.equal(status.state, "live");
  assert.deepEqual(latest().sent, [{ request_id: 1, action: "subscribe", id: TOPIC }]);
  assert.equal(changes.at(-1).kind, "snapshot");
});

test("a snapshot in several frames is complete with the last frame", () => {
  connection.subscribe(TOPIC);
  connection.start();
  latest().opens();

  latest().says({ request_id: 1, action: "subscribe", id: TOPIC, snapshot: summary(1), more: true });
  assert.equal(status.state, "connecting");
  clock.pass(10_000);
  latest().says({ request_id: 1, action: "subscribe", id: TOPIC, snapshot: { links: [] }, more: true });
  clock.pass(10_000);

  latest().says({ request_id: 1, action: "subscribe", id: TOPIC, snapshot: { links: [] } });
  assert.equal(status.state, "live");
});

test("after a lost socket the connection is stale, reconnects after the backoff, and is live with the snapshot", () => {
  becomeLive();

  latest().drops();
  assert.equal(status.state, "stale");
  assert.equal(status.retryAt, clock.now + 500);

  clock.pass(500);
  assert.equal(sockets.length, 2);
  latest().opens();
  assert.equal(status.state, "stale");
  assert.deepEqual(actions(), ["subscribe"]);
  latest().answers("subscribe");
  assert.equal(status.state, "live");
  assert.equal(status.retryAt, null);
});

test("the backoff doubles up to 30 s, with full jitter", () => {
  connection.start();
  const waits = [];
  for (let attempt = 0; attempt < 9; attempt += 1) {
    latest().drops();
    waits.push(/** @type {number} */ (status.retryAt) - clock.now);
    clock.pass(/** @type {number} */ (waits.at(-1)));
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);

  random = 0.01;
  latest().drops();
  assert.equal(/** @type {number} */ (status.retryAt) - clock.now, 300);
});

test("only a socket that stays open for a while resets the backoff", () => {
  connection.start();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    latest().opens();
    clock.pass(1000);
    latest().drops();
    clock.pass(/** @type {number} */ (status.retryAt) - clock.now);
  }
  assert.equal(status.failures, 3);

  latest().opens();
  clock.pass(11_000);
  latest().drops();
  assert.equal(status.failures, 1);
});

test("a handshake that never ends times out", () => {
  connection.start();

  clock.pass(15_500);

  assert.equal(sockets.length, 2);
});

test("a ping is sent after five minutes without a message", () => {
  becomeLive();

  for (let ping = 1; ping <= 3; ping += 1) {
    clock.pass(5 * 60_000);
    assert.equal(actions().filter((action) => action === "ping").length, ping);
    latest().answers("ping");
  }
  assert.equal(sockets.length, 1);
  assert.equal(status.lastMessageAt, clock.now);
});

test("pushes prove that the connection is alive, and replace pings", () => {
  becomeLive();

  for (let minute = 0; minute < 60; minute += 1) {
    clock.pass(60_000);
    latest().says({ id: TOPIC, changes: summary(minute + 2) });
  }

  assert.deepEqual(actions(), ["subscribe"]);
});

/** Push once a second. @param {number} pushes */
function pushDensely(pushes) {
  for (let number = 0; number < pushes; number += 1) {
    clock.pass(1000);
    latest().says({ id: TOPIC, changes: summary(number + 2) });
  }
}

test("when a dense series of pushes ends, a connection that is dead is detected within 10 s", () => {
  becomeLive();
  pushDensely(5);

  clock.pass(4999);
  assert.deepEqual(actions(), ["subscribe"]);
  clock.pass(1);
  assert.deepEqual(actions(), ["subscribe", "ping"]);
  clock.pass(5000);
  assert.equal(status.state, "stale");
});

test("while pushes trickle in, no ping is sent", () => {
  becomeLive();

  for (let second = 0; second < 60; second += 5) {
    latest().says({ id: TOPIC, changes: summary(second + 2) });
    clock.pass(5000);
  }

  assert.deepEqual(actions(), ["subscribe"]);
});

test("series of pushes that end again and again cause one ping a minute", () => {
  becomeLive();

  for (let series = 0; series < 12; series += 1) {
    pushDensely(5);
    clock.pass(5000);
    if (latest().sent.at(-1).action === "ping") latest().answers("ping");
  }

  const pings = actions().filter((action) => action === "ping").length;
  assert.ok(pings >= 2 && pings <= 3, `${pings} pings in two minutes`);
});

const levels = () => latest().sent.filter(({ action }) => action === "attend").map(({ level }) => level);

test("the server learns each change of the level, and a new connection the current one", () => {
  becomeLive();
  connection.attend("active");
  assert.deepEqual(levels(), []);

  connection.attend("visible");
  connection.attend("visible");
  latest().answers("attend");
  assert.deepEqual(levels(), ["visible"]);
  latest().drops();
  clock.pass(500);
  latest().opens();

  assert.deepEqual(actions(), ["subscribe", "attend"]);
  assert.deepEqual(levels(), ["visible"]);
});

test("a level is stated after the reply to the previous one, so that they cannot be reordered", () => {
  becomeLive();

  connection.attend("hidden");
  connection.attend("visible");
  connection.attend("active");
  assert.deepEqual(levels(), ["hidden"]);
  latest().answers("attend");

  assert.deepEqual(levels(), ["hidden", "active"]);
  latest().answers("attend");
  clock.pass(20_000);
  assert.equal(sockets.length, 1);
});

test("the snapshots of a viewer who returns are passed on", () => {
  becomeLive();
  connection.attend("hidden");
  latest().answers("attend");
  connection.attend("active");
  const { request_id } = latest().sent.at(-1);

  latest().says({ request_id, action: "attend", id: TOPIC, snapshot: summary(5) });
  assert.equal(changes.at(-1).action, "attend");
  latest().says({ request_id, action: "attend" });
  clock.pass(20_000);

  assert.equal(sockets.length, 1);
});

test("a level that a busy server could not store is stated again", () => {
  becomeLive();
  connection.attend("hidden");
  const { request_id } = latest().sent.at(-1);

  latest().says({ request_id, action: "attend", error: { code: "internal", message: "try again" } });
  clock.pass(4000);

  assert.deepEqual(levels(), ["hidden", "hidden"]);
});

test("after a ping without a reply the socket is considered dead and its messages are ignored", () => {
  becomeLive();
  clock.pass(5 * 60_000);
  const dead = latest();

  clock.pass(15_000);
  assert.equal(status.state, "stale");
  assert.equal(dead.readyState, 3);
  const heard = changes.length;
  dead.says({ id: TOPIC, changes: summary(9) });
  assert.equal(changes.length, heard);

  clock.pass(500);
  assert.equal(sockets.length, 2);
});

test("snapshots in response to a ping are passed on, and the ping's reply completes it", () => {
  becomeLive();
  clock.pass(5 * 60_000);
  const { request_id } = latest().sent.at(-1);

  latest().says({ request_id, action: "ping", id: TOPIC, snapshot: summary(5) });
  latest().says({ request_id, action: "ping" });
  clock.pass(20_000);

  assert.equal(changes.at(-1).action, "ping");
  assert.equal(sockets.length, 1);
});

test("waking reconnects immediately during the backoff, and sends a ping on an open socket", () => {
  becomeLive();
  connection.wake();
  connection.wake();
  assert.deepEqual(actions(), ["subscribe", "ping"]);

  latest().drops();
  connection.wake();
  assert.equal(sockets.length, 2);
  clock.pass(600);
  assert.equal(sockets.length, 2);
});

test("without a network the state is offline once the socket is considered dead", () => {
  becomeLive();
  online = false;

  connection.wake();
  assert.equal(status.state, "live");
  clock.pass(5000);
  assert.equal(status.state, "offline");

  online = true;
  connection.wake();
  assert.equal(status.state, "stale");
});

test("a server on this machine is live without a network", () => {
  becomeLive();
  online = false;

  connection.wake();
  latest().answers("ping");
  clock.pass(10_000);

  assert.equal(status.state, "live");
});

test("an error is passed on with its topic and completes the request", () => {
  connection.subscribe(TOPIC);
  connection.start();
  latest().opens();

  latest().says({ request_id: 1, action: "subscribe", error: { code: "forbidden", message: "not yours" } });
  clock.pass(50_000);

  assert.deepEqual(changes.at(-1), { kind: "refused", id: TOPIC, error: { code: "forbidden", message: "not yours" } });
  assert.equal(status.state, "live");
  assert.equal(sockets.length, 1);
});

test("a transient error is retried, and the state is not live before the reply", () => {
  connection.subscribe(TOPIC);
  connection.start();
  latest().opens();

  latest().says({ request_id: 1, action: "subscribe", error: { code: "internal", message: "try again" } });
  assert.equal(status.state, "connecting");
  assert.equal(status.failures, 0, "the server is reachable");
  clock.pass(4000);
  assert.deepEqual(actions(), ["subscribe", "subscribe"]);
  latest().answers("subscribe");

  assert.equal(status.state, "live");
});

test("an unreadable frame is reported and ends the request that it responds to", () => {
  connection.subscribe(TOPIC);
  connection.start();
  latest().opens();

  latest().says({ request_id: 1, action: "subscribe", id: TOPIC, snapshot: 5 });
  clock.pass(20_000);

  assert.match(String(unreadable[0]), /snapshot: expected an object, got 5/);
  assert.equal(sockets.length, 1);
});

test("a topic that was unsubscribed is not subscribed again after a reconnect", () => {
  becomeLive();

  connection.unsubscribe(TOPIC);
  assert.deepEqual(latest().sent.at(-1), { request_id: 2, action: "unsubscribe", id: TOPIC });
  assert.deepEqual(changes.at(-1), { kind: "unsubscribed", id: TOPIC });

  latest().drops();
  clock.pass(500);
  latest().opens();
  assert.deepEqual(actions(), []);
  assert.equal(status.state, "live");
});

/** @param {any} request */
function asking(request) {
  /** @type {any[]} */
  const results = [];
  const answer = connection.ask(request, (result) => { results.push(result); });
  answer.catch(() => {}); // its outcome is asserted by the test
  return { results, answer };
}

const TIMELINE = { $type: "CampaignTimeline", id: "spring-sale", resolution: "hour", buckets: [] };

test("a request returns results one by one, and the cursor of the next page", async () => {
  becomeLive();
  const { results, answer } = asking({ action: "listTimelines", ids: [TOPIC] });
  const { request_id, ...sent } = latest().sent.at(-1);
  assert.deepEqual(sent, { action: "listTimelines", ids: [TOPIC], stream: true });

  latest().says({ request_id, action: "listTimelines", result: TIMELINE });
  latest().says({ request_id: request_id + 99, action: "listTimelines", result: TIMELINE });
  latest().says({ request_id, action: "listTimelines", done: true, cursor: "c" });

  assert.equal(await answer, "c");
  assert.equal(results.length, 1);
  assert.equal(results[0].id, "spring-sale");
  assert.equal(status.state, "live");
});

test("a request is rejected if the server refuses it or the connection is lost", async () => {
  becomeLive();
  const refused = asking({ action: "listActivity" });
  latest().says({ request_id: latest().sent.at(-1).request_id, action: "listActivity", error: { code: "rate_limited", message: "wait" } });
  await assert.rejects(refused.answer, (error) => error instanceof RequestError && error.code === "rate_limited" && error.message === "wait");

  const lost = asking({ action: "listActivity" });
  latest().drops();
  await assert.rejects(lost.answer, (error) => error instanceof RequestError && error.code === "offline");
  await assert.rejects(asking({ action: "listActivity" }).answer, (error) => error instanceof RequestError && error.code === "offline");
});

test("each result restarts a request's timeout, and a timeout does not end the connection", async () => {
  becomeLive();
  const { answer } = asking({ action: "listTimelines" });
  const { request_id } = latest().sent.at(-1);
  for (let times = 0; times < 4; times += 1) {
    clock.pass(14_000);
    latest().says({ request_id, action: "listTimelines", result: TIMELINE });
  }
  clock.pass(15_000);

  assert.equal(status.state, "live");
  await assert.rejects(answer, (error) => error instanceof RequestError && error.code === "offline");
});

test("an unreadable result ends its request", async () => {
  becomeLive();
  const { answer } = asking({ action: "listTimelines" });
  latest().says({ request_id: latest().sent.at(-1).request_id, action: "listTimelines", result: { $type: "Riddle" } });

  await assert.rejects(answer, /a supported type/);
});

test("a subscription waits for the reply to an earlier unsubscribe of the topic", () => {
  becomeLive();
  connection.unsubscribe(TOPIC);
  connection.subscribe(TOPIC);
  assert.deepEqual(actions(), ["subscribe", "unsubscribe"]);

  latest().answers("unsubscribe");
  assert.deepEqual(actions(), ["subscribe", "unsubscribe", "subscribe"]);
});

test("the status contains the duration of the last outage", () => {
  becomeLive();
  assert.equal(status.back, null);
  clock.pass(30_000);
  const lostAt = clock.now;
  latest().drops();
  clock.pass(20_000);
  const { length } = sockets;
  latest().opens();
  clock.pass(1000);
  latest().answers("subscribe");

  assert.equal(sockets.length, length);
  assert.deepEqual(status.back, { at: clock.now, after: clock.now - lostAt });
});

/** Reply to the pings that are due in this time. @param {number} ms */
function passAlive(ms) {
  for (const end = clock.now + ms; clock.now < end;) {
    clock.pass(Math.min(4000, end - clock.now));
    for (const socket of sockets.filter(({ readyState, sent }) => readyState === 1 && sent.at(-1)?.action === "ping")) {
      socket.says({ request_id: socket.sent.at(-1).request_id, action: "ping" });
    }
  }
}

test("a connection is replaced before it reaches its maximum lifetime, without an interruption", () => {
  random = 0;
  becomeLive();
  /** @type {string[]} */
  const states = [];
  const [first] = sockets;
  passAlive(110 * 60_000);
  assert.equal(sockets.length, 2);
  assert.equal(first?.readyState, 1, "it stays in use until the other one is open");
  states.push(status.state);

  latest().opens();
  states.push(status.state);
  assert.equal(first?.readyState, 3);
  assert.deepEqual(actions(), ["subscribe"]);
  latest().answers("subscribe");
  latest().says({ id: TOPIC, changes: summary(5) });
  states.push(status.state);

  assert.deepEqual(states, ["live", "live", "live"]);
  assert.equal(changes.at(-1).part.summary.version, 5);
  passAlive(110 * 60_000);
  assert.equal(sockets.length, 3);
});

test("a connection with an unanswered request is replaced later, but before its maximum lifetime", async () => {
  random = 0;
  becomeLive();
  const [first] = sockets;
  passAlive(110 * 60_000 - 8000);
  /** @type {string[]} */
  const results = [];
  const reply = connection.ask({ action: "listRecipients" }, (/** @type {any} */ one) => results.push(one));
  const { request_id } = first?.sent.findLast(({ action }) => action === "listRecipients") ?? {};
  passAlive(12_000);
  assert.equal(sockets.length, 1);
  first?.says({ request_id, action: "listRecipients" });
  assert.equal(await reply, null);
  passAlive(60_000);
  assert.equal(sockets.length, 2);
  latest().opens();
  latest().answers("subscribe");

  const [, second] = sockets;
  const opened = clock.now;
  passAlive(110 * 60_000 - 8000);
  const refused = assert.rejects(connection.ask({ action: "listRecipients" }, () => {}), { code: "offline" });
  const endless = second?.sent.findLast(({ action }) => action === "listRecipients").request_id;
  while (sockets.length === 2 && clock.now - opened < 120 * 60_000) {
    passAlive(12_000);
    second?.says({ request_id: endless, action: "listRecipients", more: true });
  }
  assert.ok(clock.now - opened < 119 * 60_000);
  assert.equal(sockets.length, 3);
  latest().opens();
  await refused;
});

test("if the replacement cannot be opened, the first connection stays in use and a retry follows", () => {
  random = 0;
  becomeLive();
  passAlive(110 * 60_000);
  latest().drops();
  assert.equal(status.state, "live");
  passAlive(60_000);
  assert.equal(sockets.length, 3);
  sockets[0]?.drops();
  assert.notEqual(status.state, "live");
  assert.equal(latest().readyState, 3, "it is no longer needed");
});

test("a stopped connection has ended: it does not reconnect, even if it is woken", () => {
  connection.start();
  sockets[0]?.opens();

  connection.stop();
  sockets[0]?.drops();
  clock.pass(120_000);
  connection.wake();

  assert.equal(sockets.length, 1);
  assert.deepEqual([status.state, status.retryAt], ["ended", null]);
});

test("handshakes that are refused are counted until one succeeds", () => {
  connection.start();
  latest().drops();
  clock.pass(1000);
  latest().drops();
  assert.equal(status.refusals, 2);

  clock.pass(1000);
  latest().opens();
  latest().drops();
  assert.equal(status.refusals, 0, "this connection was accepted before it was lost");
});

test("a handshake without a response is not refused", () => {
  connection.start();
  clock.pass(16_000);
  assert.deepEqual([status.failures, status.refusals], [1, 0]);
});

const RECIPIENT = {
  $type: "Recipient", recipient: "ada@example.com", message_id: "m1", sent_at: "2026-11-23T10:00:00Z",
  state: "opened", last_at: "2026-11-23T10:05:00Z",
};

test("pages of a stream arrive one by one until a reply without results", async () => {
  becomeLive();
  /** @type {any[]} */ const results = [];
  /** @type {any[]} */ const totals = [];
  const done = connection.ask({ action: "listRecipients" }, (one) => results.push(one), ({ total }) => totals.push(total));
  const { request_id, stream } = latest().sent.at(-1);
  assert.equal(stream, true);
  const frame = { request_id, action: "listRecipients", total: 3, complete: true };

  latest().says({ ...frame, results: [RECIPIENT, RECIPIENT] });
  clock.pass(14_000);
  latest().says({ ...frame, results: [RECIPIENT] });
  clock.pass(14_000);
  latest().says({ request_id, action: "listRecipients", done: true, cursor: "next" });

  assert.equal(await done, "next");
  assert.deepEqual(results.map(({ recipient }) => recipient), Array(3).fill("ada@example.com"));
  assert.deepEqual(totals, [3, 3]);
});

test("one page ends a request without a stream", async () => {
  becomeLive();
  /** @type {any[]} */ const results = [];
  const done = connection.ask({ action: "listRecipients", stream: false }, (one) => results.push(one));
  const { request_id } = latest().sent.at(-1);

  latest().says({ request_id, action: "listRecipients", total: 9, complete: false, results: [RECIPIENT], cursor: "next" });

  assert.equal(await done, "next");
  assert.equal(results.length, 1);
});

test("a reply without results is the result of a request without a stream", async () => {
  becomeLive();
  /** @type {any[]} */ const results = [];
  const done = connection.ask({ action: "compare", ids: [TOPIC], stream: false }, (one) => results.push(one));
  const { request_id } = latest().sent.at(-1);

  latest().says({ request_id, action: "compare", campaigns: [], differences: [] });

  assert.equal(await done, null);
  assert.deepEqual(results, [{ request_id, action: "compare", campaigns: [], differences: [] }]);
});

test("the end of a stream is no result", async () => {
  becomeLive();
  /** @type {any[]} */ const results = [];
  const done = connection.ask({ action: "listRecipients" }, (one) => results.push(one));
  const { request_id } = latest().sent.at(-1);

  latest().says({ request_id, action: "listRecipients", done: true });

  assert.equal(await done, null);
  assert.deepEqual(results, []);
});

const LIST = "stats/email-campaigns";
const LISTED = { $type: "CampaignList", campaigns: [] };
const subscriptions = () => latest().sent.filter(({ action }) => action === "subscribe").map(({ campaigns }) => campaigns);
const answerList = () => {
  const { request_id, action, id } = latest().sent.findLast((request) => request.action === "subscribe");
  latest().says({ request_id, action, id, snapshot: LISTED });
};

test("a subscription states the campaigns on the screen, and states them again after a reconnect", () => {
  connection.start();
  latest().opens();
  connection.subscribe(LIST);
  answerList();
  connection.subscribe(LIST, ["a", "b"]);
  assert.deepEqual(subscriptions(), [undefined, ["a", "b"]]);
  answerList();
  assert.equal(status.state, "live");

  latest().drops();
  clock.pass(20_000);
  latest().opens();
  assert.deepEqual(subscriptions(), [["a", "b"]]);
});

test("what is on the screen is stated only after the reply to an earlier statement", () => {
  connection.start();
  latest().opens();
  connection.subscribe(LIST);
  connection.subscribe(LIST, ["a"]);
  connection.subscribe(LIST, ["b"]);
  assert.deepEqual(subscriptions(), [undefined]);
  assert.equal(changes.filter(({ kind }) => kind === "subscribing").length, 1);

  answerList();
  assert.deepEqual(subscriptions(), [undefined, ["b"]]);
  answerList();
  assert.deepEqual(subscriptions(), [undefined, ["b"]]);
});

test("a topic that is left and wanted again before any reply is subscribed at the end", () => {
  connection.start();
  latest().opens();
  connection.subscribe(LIST);
  connection.unsubscribe(LIST);
  connection.subscribe(LIST);
  latest().answers("unsubscribe");
  answerList();

  assert.equal(actions().at(-1), "subscribe");
  assert.equal(subscriptions().length, 2);
});

test("a page of results in several frames ends with the last frame", async () => {
  becomeLive();
  /** @type {any[]} */
  const pages = [];
  const answer = connection.ask({ action: "listCampaigns", stream: false }, () => {}, (page) => { pages.push(page); });
  const { request_id } = latest().sent.at(-1);
  const frame = { request_id, action: "listCampaigns", results: [], total: 317, cursor: "next" };
  latest().says({ ...frame, more: true });
  let ended = false;
  answer.then(() => { ended = true; });
  await Promise.resolve();
  assert.ok(!ended);

  latest().says(frame);
  assert.equal(await answer, "next");
  assert.deepEqual(pages.map(({ total }) => total), [317, 317]);
});
