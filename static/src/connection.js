/**
 * A WebSocket connection that is kept alive: it subscribes to topics, sends a ping when it has been
 * quiet, and reconnects automatically. Snapshots and pushes go to `onChange` (see `state.js`), the state
 * of the connection to `onStatus`.
 *
 * Everything that it needs from the browser is an argument.
 */

import { PRECEDE_A_REPLY, decode } from "./protocol.js";
import { Timers } from "./timers.js";
import { ProtocolError } from "./validate.js";

/**
 * `connecting`: not live yet. `live`: every subscription is answered. `stale`: reconnecting after
 * having been live; the last numbers stay visible. `offline`: no network. `ended`: stopped for good.
 * @typedef {"connecting" | "live" | "stale" | "offline" | "ended"} ConnectionState
 *
 * Times in milliseconds since 1970. `lastMessageAt` is when the last message arrived, so the age of
 * the numbers. `retryAt` is the time of the next attempt while disconnected. `refusals` is the number of
 * handshakes that have failed since one has succeeded, without those that got no response. `back` is the
 * time of the last reconnect, and how long the connection had been lost.
 * @typedef {{state: ConnectionState, lastMessageAt: number | null, retryAt: number | null,
 *            failures: number, refusals: number, back: {at: number, after: number} | null}} Status
 *
 * @typedef {Pick<WebSocket, "send" | "close" | "readyState" | "onopen" | "onmessage" | "onclose">} Socket
 * @typedef {{action: string, id?: string, [field: string]: unknown}} Request
 * @typedef {{onResult: (result: any) => void,
 *            onPage: (page: import("./protocol.js").ResultPage) => void, resolve: (cursor: string | null) => void,
 *            reject: (error: Error) => void}} PendingRequest
 *
 * @typedef {{
 *   open: () => Socket,
 *   onChange: (change: import("./state.js").Change) => void,
 *   onStatus: (status: Status) => void,
 *   onUnreadable: (error: ProtocolError) => void,
 *   isOnline: () => boolean,
 *   now?: () => number,
 *   random?: () => number,
 *   timers?: import("./timers.js").Clock,
 * }} Environment
 */

/** API Gateway closes a connection that has been idle for ten minutes. */
const PING_AFTER = 5 * 60_000;
/** When a dense series of pushes ends, the connection may be dead: check it, at most this often. */
const SERIES = { pushes: 5, within: 8_000, silence: 5_000, again: 60_000 };
const REPLY_WITHIN = 15_000; // a cold start takes a few seconds
const REPLY_WITHIN_ON_WAKE = 5_000;
const BUSY_FAILURES = 4; // a busy server is retried with the backoff after this many failures
const STEADY_AFTER = 10_000;
const BACKOFF_FIRST = 500;
const BACKOFF_MOST = 30_000;
// API Gateway closes every connection after two hours.
const RENEW_AFTER = 110 * 60_000;
const RENEW_AGAIN = 60_000;
const OPEN = 1;

/** Transient errors: the same request may succeed later. */
const RETRYABLE = new Set(["internal", "rate_limited"]);

/** A failed request: the server returned an error, or the connection was lost (`offline`). */
export class RequestError extends Error {
  /** @param {import("./protocol.js").ServerError} error */
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

const OFFLINE = { code: "offline", message: "The server did not respond." };

export class Connection {
  /** @type {Required<Environment>} */
  #environment;
  /** @type {Socket | null} */
  #socket = null;
  /** @type {Map<string, string[] | undefined>} the topics, with the campaigns on the screen */
  #topics = new Map();
  /** @type {Map<string, string>} by topic, the last request of either kind, to tell whether it is still wanted */
  #lastOf = new Map();
  /** @type {Socket | null} the replacement of a socket that will be closed soon */
  #next = null;
  /** @type {Map<number, {request: Request, callbacks: PendingRequest | undefined}>} */
  #pending = new Map();
  #lastRequest = 0;
  #resumed = false;
  #wasLive = false;
  #ended = false;
  #failures = 0;
  #refusals = 0;
  /** @type {number | null} */
  #lastMessageAt = null;
  /** @type {number | null} */
  #retryAt = null;
  #lostAt = 0;
  #pingedAt = -Infinity;
  /** @type {number[]} the times of the last pushes */
  #pushedAt = [];
  /** @type {import("./attention.js").Level} */
  #level = "active";
  /** @type {import("./attention.js").Level | null} the level that the server knows; null if uncertain */
  #stated = "active";
  /** @type {Status["back"]} */
  #back = null;
  /** @type {Timers} by purpose, topic, or request ID */
  #timers;

  /** @param {Environment} environment */
  constructor(environment) {
    this.#environment = { now: Date.now, random: Math.random, timers: globalThis, ...environment };
    this.#timers = new Timers(this.#environment.timers);
  }

  /** Connect. Throws what `open` throws for an invalid address. */
  start() {
    this.#retryAt = null;
    this.#timers.stop("retry");
    const socket = this.#environment.open();
    this.#socket = socket;
    this.#timers.start("connect", REPLY_WITHIN, () => this.#onLost());
    socket.onopen = () => this.#onOpen(socket);
    socket.onmessage = (event) => this.#onMessage(String(event.data));
    socket.onclose = () => {
      this.#refusals++;
      this.#onLost();
    };
    this.#notify();
  }

  /**
   * Request results, as a stream unless the request has `stream: false`. A reply that has no list of results
   * is itself the result.
   *
   * @template T
   * @param {Request} request
   * @param {(result: T) => void} onResult is called for each result
   * @param {(page: import("./protocol.js").ResultPage) => void} [onPage] is called after the results of
   *   a frame that has several
   * @returns {Promise<string | null>} the cursor of the next page, null at the end
   * @throws {RequestError} through the promise
   */
  ask(request, onResult, onPage = () => {}) {
    return new Promise((resolve, reject) => {
      const callbacks = { onResult, onPage, resolve, reject };
      if (!this.#request({ stream: true, ...request }, REPLY_WITHIN, callbacks)) reject(new RequestError(OFFLINE));
    });
  }

  /**
   * Subscribe to a topic, or state which campaigns of the list are on the screen.
   * @param {string} topic
   * @param {string[]} [campaigns] of the list, whose changes are pushed; all if omitted
   */
  subscribe(topic, campaigns) {
    this.#topics.set(topic, campaigns);
    this.#subscribe(topic);
  }

  /** @param {string} topic */
  unsubscribe(topic) {
    this.#topics.delete(topic);
    this.#timers.stop(topic);
    this.#lastOf.delete(topic);
    this.#request({ action: "unsubscribe", id: topic });
    this.#environment.onChange({ kind: "unsubscribed", id: topic });
  }

  /**
   * State how closely the viewer follows. From `hidden`, the server returns a snapshot of each topic.
   * @param {import("./attention.js").Level} level
   */
  attend(level) {
    this.#level = level;
    // The two requests could arrive in the wrong order: wait for the reply first.
    if (level === this.#stated || this.#hasPending("attend")) return;
    if (this.#request({ action: "attend", level })) this.#stated = level;
  }

  /**
   * Check the connection now: the page became visible, or the network changed. A local server may
   * respond without a network.
   */
  wake() {
    if (this.#retryAt !== null) return this.start();
    this.#ping(REPLY_WITHIN_ON_WAKE);
    this.#notify();
  }

  /** Disconnect for good, because access has ended. The last numbers stay visible. */
  stop() {
    this.#ended = true;
    this.#drop(null);
    this.#socket = this.#next = this.#retryAt = null;
    this.#failures = 0;
    this.#resumed = false;
    this.#notify();
  }

  /** @param {Socket} socket */
  #onOpen(socket) {
    socket.onclose = () => this.#onLost();
    this.#refusals = 0;
    this.#timers.stop("connect");
    this.#timers.start("steady", STEADY_AFTER, () => { this.#failures = 0; });
    this.#stated = "active";
    this.#timers.start("renew", RENEW_AFTER * (1 - this.#environment.random() / 10), () => this.#renew());
    for (const topic of this.#topics.keys()) this.#subscribe(topic);
    this.attend(this.#level);
    this.#awaitMessage();
    this.#resume();
  }

  /**
   * Open another socket before this one is closed, and switch to it without an interruption.
   * @param {number} [waits] how often to wait for the end of an export
   */
  #renew(waits = 8) {
    const again = () => this.#timers.start("renew", RENEW_AGAIN, () => this.#renew(waits - 1));
    if (waits > 0 && [...this.#pending.values()].some(({ callbacks }) => callbacks)) return again();
    const next = this.#environment.open();
    this.#next = next;
    next.onopen = () => {
      this.#drop(next);
      this.#next = null;
      this.#socket = next;
      next.onmessage = (event) => this.#onMessage(String(event.data));
      this.#onOpen(next);
    };
    next.onclose = again;
  }

  /** @param {string} topic */
  #subscribe(topic) {
    // Two requests could arrive in the wrong order: wait for the reply first.
    if (this.#hasPending("subscribe", topic)) return;
    this.#environment.onChange({ kind: "subscribing", id: topic });
    if (this.#hasPending("unsubscribe", topic)) return;
    const campaigns = this.#topics.get(topic);
    this.#lastOf.set(topic, String(campaigns));
    this.#request({ action: "subscribe", id: topic, ...(campaigns && { campaigns }) });
  }

  /** @param {number} within milliseconds */
  #ping(within) {
    this.#pingedAt = this.#environment.now();
    if (!this.#hasPending("ping")) this.#request({ action: "ping" }, within);
  }

  #awaitMessage() {
    this.#timers.start("ping", PING_AFTER, () => this.#ping(REPLY_WITHIN));
  }

  /** Detect a connection that dies while a campaign is being sent within 10 s. */
  #awaitPush() {
    const now = this.#environment.now();
    this.#pushedAt = [...this.#pushedAt, now].slice(-SERIES.pushes);
    const isDense = this.#pushedAt.length === SERIES.pushes && now - Number(this.#pushedAt[0]) <= SERIES.within;
    this.#timers.stop("silence");
    if (!isDense || now - this.#pingedAt < SERIES.again) return;
    this.#timers.start("silence", SERIES.silence, () => this.#ping(REPLY_WITHIN_ON_WAKE));
  }

  /** @param {string} action @param {string} [id] any topic if omitted */
  #hasPending(action, id) {
    return [...this.#pending.values()].some(({ request }) => request.action === action && (!id || request.id === id));
  }

  /**
   * @param {Request} request
   * @param {number} within milliseconds; without a response by then, the socket is considered dead
   * @param {PendingRequest} [callbacks] receive the response
   * @returns {boolean} whether there is a connection
   */
  #request(request, within = REPLY_WITHIN, callbacks) {
    if (this.#socket?.readyState !== OPEN) return false;
    const requestId = ++this.#lastRequest;
    this.#socket.send(JSON.stringify({ request_id: requestId, ...request }));
    this.#pending.set(requestId, { request, callbacks });
    this.#await(requestId, within);
    return true;
  }

  /** @param {number} requestId @param {number} within milliseconds, from now */
  #await(requestId, within = REPLY_WITHIN) {
    const sent = this.#pending.get(requestId);
    if (!sent) return;
    this.#timers.start(requestId, within, () => {
      // One unanswered request does not mean a dead socket; the ping detects that.
      if (sent.callbacks) this.#settle(requestId)?.callbacks?.reject(new RequestError(OFFLINE));
      else this.#onLost();
    });
  }

  /** @param {string} text */
  #onMessage(text) {
    this.#lastMessageAt = this.#environment.now();
    this.#awaitMessage();
    let message;
    try {
      message = decode(text);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#settle(error.requestId)?.callbacks?.reject(error);
      this.#environment.onUnreadable(error);
      this.#resume();
      return;
    }
    if (message.kind === "push" || message.kind === "snapshot") this.#environment.onChange(message);
    if (message.kind === "push") this.#awaitPush();
    if (message.kind === "snapshot") {
      // Some snapshots precede a reply, which settles the request.
      if (message.more || PRECEDE_A_REPLY.has(message.action)) this.#await(Number(message.requestId));
      else this.#settle(message.requestId);
    }
    if (message.kind === "result") {
      this.#pending.get(Number(message.requestId))?.callbacks?.onResult(message.result);
      this.#await(Number(message.requestId));
    }
    if (message.kind === "reply") this.#onReply(message);
    if (message.kind === "error") this.#refused(message);
    this.#resume();
  }

  /** @param {import("./protocol.js").Reply} reply */
  #onReply({ requestId, cursor, page, more, body }) {
    const { request, callbacks } = this.#pending.get(Number(requestId)) ?? {};
    if (page) {
      page.results.forEach((result) => callbacks?.onResult(result));
      callbacks?.onPage(page);
    } else if (request?.stream === false) callbacks?.onResult(body);
    // A reply without results ends a stream.
    if (more || (page && request?.stream)) this.#await(Number(requestId));
    else this.#settle(requestId)?.callbacks?.resolve(cursor);
  }

  /** @param {import("./protocol.js").ErrorReply} reply */
  #refused({ requestId, error }) {
    const sent = this.#settle(requestId);
    sent?.callbacks?.reject(new RequestError(error));
    if (sent?.request.action === "attend" && RETRYABLE.has(error.code)) {
      this.#stated = null;
      this.#timers.start("attend", this.#backoff(BUSY_FAILURES), () => this.attend(this.#level));
    }
    const topic = sent?.request.action === "subscribe" ? sent.request.id : undefined;
    if (topic === undefined || !this.#topics.has(topic)) return;
    this.#environment.onChange({ kind: "refused", id: topic, error });
    if (RETRYABLE.has(error.code)) {
      this.#timers.start(topic, this.#backoff(BUSY_FAILURES), () => this.#subscribe(topic));
    }
  }

  /** @param {import("./protocol.js").RequestId} requestId */
  #settle(requestId) {
    const id = Number(requestId);
    const sent = this.#pending.get(id);
    this.#timers.stop(id);
    this.#pending.delete(id);
    const { action, id: topic } = sent?.request ?? {};
    const isOfTopic = action === "subscribe" || action === "unsubscribe";
    if (isOfTopic && topic && this.#topics.has(topic) && this.#lastOf.get(topic) !== String(this.#topics.get(topic))) {
      this.#subscribe(topic);
    }
    if (action === "attend") this.attend(this.#level);
    return sent;
  }

  /** Become live once every subscription on this socket is answered. */
  #resume() {
    const open = this.#socket?.readyState === OPEN;
    const toRetry = [...this.#topics.keys()].some((topic) => this.#timers.has(topic));
    if (open && !this.#hasPending("subscribe") && !toRetry) {
      this.#resumed = this.#wasLive = true;
      const now = this.#environment.now();
      if (this.#lostAt) this.#back = { at: now, after: now - this.#lostAt };
      this.#lostAt = 0;
    }
    this.#notify();
  }

  /**
   * Close the sockets and reject their pending requests.
   * @param {Socket | null} kept is not closed
   */
  #drop(kept) {
    for (const socket of [this.#socket, this.#next]) {
      if (!socket || socket === kept) continue;
      // A dead network delays the close event by minutes.
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    this.#timers.stopAll();
    const unanswered = [...this.#pending.values()];
    this.#pending.clear();
    for (const { callbacks } of unanswered) callbacks?.reject(new RequestError(OFFLINE));
  }

  #onLost() {
    this.#drop(null);
    this.#socket = this.#next = null;
    if (this.#resumed) this.#lostAt = this.#environment.now();
    this.#resumed = false;
    const wait = this.#backoff(++this.#failures);
    this.#retryAt = this.#environment.now() + wait;
    this.#timers.start("retry", wait, () => this.start());
    this.#notify();
  }

  /**
   * Return a random delay up to a bound that doubles, so that a thousand pages do not reconnect at
   * the same moment.
   * @param {number} failures consecutive failures, 1 or more
   */
  #backoff(failures) {
    return this.#environment.random() * Math.min(BACKOFF_MOST, BACKOFF_FIRST * 2 ** (failures - 1));
  }

  #notify() {
    this.#environment.onStatus({
      state: this.#state(),
      lastMessageAt: this.#lastMessageAt,
      retryAt: this.#retryAt,
      failures: this.#failures,
      refusals: this.#refusals,
      back: this.#back,
    });
  }

  /** @returns {ConnectionState} */
  #state() {
    if (this.#ended) return "ended";
    if (this.#resumed) return "live";
    if (!this.#environment.isOnline()) return "offline";
    return this.#wasLive ? "stale" : "connecting";
  }
}
