/**
 * One WebSocket, kept alive: it connects, subscribes to what is wanted, asks every minute
 * whether it is still there, and comes back by itself when it is not. What it hears goes to
 * `onChange` (see `state.js`), how it is to `onStatus`.
 *
 * Everything that it needs from the browser is an argument.
 */

import { decode } from "./protocol.js";
import { Timers } from "./timers.js";
import { ProtocolError } from "./validate.js";

/**
 * `connecting`: nothing was ever shown. `live`: every subscription is answered. `stale`: it
 * was live and is trying again; the last numbers stay. `offline`: the same without a network.
 * @typedef {"connecting" | "live" | "stale" | "offline"} ConnectionState
 *
 * Times in milliseconds since 1970. `heardAt` is when the last message came: everything on
 * the screen was true then. `retryAt` is set while the next attempt is waited for. `back` is when
 * it was live again, and for how long it had not been.
 * @typedef {{state: ConnectionState, heardAt: number | null, retryAt: number | null,
 *            failures: number, back: {at: number, after: number} | null}} Status
 *
 * @typedef {Pick<WebSocket, "send" | "close" | "readyState" | "onopen" | "onmessage" | "onclose">} Socket
 * @typedef {{action: string, id?: string, [field: string]: unknown}} Request
 * @typedef {{onResult: (result: any) => void, resolve: (cursor: string | null) => void,
 *            reject: (error: Error) => void}} Asker
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
 * }} Surroundings
 */

const PING_EVERY = 60_000;
const REPLY_WITHIN = 15_000; // a function that starts cold takes some seconds
const REPLY_WITHIN_IN_DOUBT = 5_000;
const REFUSALS = 4; // as if so many had been in a row: the server is there, and busy
const STEADY_AFTER = 10_000;
const BACKOFF_FIRST = 500;
const BACKOFF_MOST = 30_000;
// API Gateway ends every connection after two hours.
const RENEW_AFTER = 110 * 60_000;
const RENEW_AGAIN = 60_000;
const OPEN = 1;

/** Errors that say nothing about the request: the same one may be answered later. */
const PASSING = new Set(["internal", "rate_limited"]);

/** A question that was not answered: refused, or the connection was lost (`offline`). */
export class Refused extends Error {
  /** @param {import("./protocol.js").ServerError} error */
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

const OFFLINE = { code: "offline", message: "There was no answer." };

export class Connection {
  /** @type {Required<Surroundings>} */
  #outside;
  /** @type {Socket | null} */
  #socket = null;
  /** @type {Set<string>} */
  #topics = new Set();
  /** @type {Socket | null} what takes the place of a socket that will end soon */
  #next = null;
  /** @type {Map<number, {request: Request, asker: Asker | undefined}>} */
  #pending = new Map();
  #lastRequest = 0;
  #resumed = false;
  #wasLive = false;
  #failures = 0;
  /** @type {number | null} */
  #heardAt = null;
  /** @type {number | null} */
  #retryAt = null;
  #lostAt = 0;
  /** @type {Status["back"]} */
  #back = null;
  /** @type {Timers} named after what they end, a topic, or the id of a request */
  #timers;

  /** @param {Surroundings} surroundings */
  constructor(surroundings) {
    this.#outside = { now: Date.now, random: Math.random, timers: globalThis, ...surroundings };
    this.#timers = new Timers(this.#outside.timers);
  }

  /** Connect. Throws what `open` throws for an address that can never work. */
  start() {
    this.#retryAt = null;
    this.#timers.stop("retry");
    const socket = this.#outside.open();
    this.#socket = socket;
    this.#timers.start("connect", REPLY_WITHIN, () => this.#lost());
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#heard(String(event.data));
    socket.onclose = () => this.#lost();
    this.#tell();
  }

  /**
   * Ask for a stream of results.
   *
   * @template T
   * @param {Request} request
   * @param {(result: T) => void} onResult hears each
   * @returns {Promise<string | null>} the cursor to go on from, null at the end
   * @throws {Refused} by the promise
   */
  ask(request, onResult) {
    return new Promise((resolve, reject) => {
      const asker = { onResult, resolve, reject };
      if (!this.#request({ ...request, stream: true }, REPLY_WITHIN, asker)) reject(new Refused(OFFLINE));
    });
  }

  /** @param {string} topic */
  subscribe(topic) {
    this.#topics.add(topic);
    this.#subscribe(topic);
  }

  /** @param {string} topic */
  unsubscribe(topic) {
    this.#topics.delete(topic);
    this.#timers.stop(topic);
    this.#request({ action: "unsubscribe", id: topic });
    this.#outside.onChange({ kind: "unsubscribed", id: topic });
  }

  /**
   * Somebody looks, or the network has come or gone: find out now instead of later. A server on
   * this machine may answer without a network.
   */
  wake() {
    if (this.#retryAt !== null) return this.start();
    this.#ping(REPLY_WITHIN_IN_DOUBT);
    this.#tell();
  }

  /** Connect no more: nobody may look who has this page. What was shown stays. */
  stop() {
    this.#drop(null);
    this.#socket = this.#next = this.#retryAt = null;
    this.#resumed = false;
    this.#tell();
  }

  #opened() {
    this.#timers.stop("connect");
    this.#timers.start("steady", STEADY_AFTER, () => { this.#failures = 0; });
    this.#timers.start("ping", PING_EVERY, () => this.#ping(REPLY_WITHIN));
    this.#timers.start("renew", RENEW_AFTER * (1 - this.#outside.random() / 10), () => this.#renew());
    for (const topic of this.#topics) this.#subscribe(topic);
    this.#resume();
  }

  /** Open another socket before this one ends, and change over: nobody need see it. */
  #renew() {
    const next = this.#outside.open();
    this.#next = next;
    next.onopen = () => {
      this.#drop(next);
      this.#next = null;
      this.#socket = next;
      next.onmessage = (event) => this.#heard(String(event.data));
      next.onclose = () => this.#lost();
      this.#opened();
    };
    next.onclose = () => this.#timers.start("renew", RENEW_AGAIN, () => this.#renew());
  }

  /** @param {string} topic */
  #subscribe(topic) {
    this.#outside.onChange({ kind: "subscribing", id: topic });
    // On their way they could overtake each other, and the last to arrive would count.
    if (this.#awaits("unsubscribe", topic)) return;
    this.#request({ action: "subscribe", id: topic });
  }

  /** @param {number} within milliseconds */
  #ping(within) {
    if (!this.#awaits("ping")) this.#request({ action: "ping" }, within);
  }

  /** @param {string} action @param {string} [id] of this topic; of any, when left out */
  #awaits(action, id) {
    return [...this.#pending.values()].some(({ request }) => request.action === action && (!id || request.id === id));
  }

  /**
   * @param {Request} request
   * @param {number} within milliseconds; a socket that does not answer by then is dead
   * @param {Asker} [asker] hears the answer
   * @returns {boolean} whether there is a connection
   */
  #request(request, within = REPLY_WITHIN, asker) {
    if (this.#socket?.readyState !== OPEN) return false;
    const requestId = ++this.#lastRequest;
    this.#socket.send(JSON.stringify({ request_id: requestId, ...request }));
    this.#pending.set(requestId, { request, asker });
    this.#await(requestId, within);
    return true;
  }

  /** @param {number} requestId @param {number} within milliseconds, from now */
  #await(requestId, within = REPLY_WITHIN) {
    const asked = this.#pending.get(requestId);
    if (!asked) return;
    this.#timers.start(requestId, within, () => {
      // One question that is not answered is no dead socket; a ping tells.
      if (asked.asker) this.#settle(requestId)?.asker?.reject(new Refused(OFFLINE));
      else this.#lost();
    });
  }

  /** @param {string} text */
  #heard(text) {
    this.#heardAt = this.#outside.now();
    let message;
    try {
      message = decode(text);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#settle(error.requestId)?.asker?.reject(error);
      this.#outside.onUnreadable(error);
      this.#resume();
      return;
    }
    if (message.kind === "push" || message.kind === "snapshot") this.#outside.onChange(message);
    if (message.kind === "snapshot") {
      // Snapshots that answer a ping come before the answer proper, which settles it.
      if (message.more) this.#await(Number(message.requestId));
      else if (message.action !== "ping") this.#settle(message.requestId);
    }
    if (message.kind === "result") {
      this.#pending.get(Number(message.requestId))?.asker?.onResult(message.result);
      this.#await(Number(message.requestId));
    }
    if (message.kind === "reply") this.#settle(message.requestId)?.asker?.resolve(message.cursor);
    if (message.kind === "error") this.#refused(message);
    this.#resume();
  }

  /** @param {import("./protocol.js").ErrorReply} reply */
  #refused({ requestId, error }) {
    const asked = this.#settle(requestId);
    asked?.asker?.reject(new Refused(error));
    const topic = asked?.request.action === "subscribe" ? asked.request.id : undefined;
    if (topic === undefined || !this.#topics.has(topic)) return;
    this.#outside.onChange({ kind: "refused", id: topic, error });
    if (PASSING.has(error.code)) {
      this.#timers.start(topic, this.#backoff(REFUSALS), () => this.#subscribe(topic));
    }
  }

  /** @param {import("./protocol.js").RequestId} requestId */
  #settle(requestId) {
    const id = Number(requestId);
    const asked = this.#pending.get(id);
    this.#timers.stop(id);
    this.#pending.delete(id);
    const { action, id: topic } = asked?.request ?? {};
    if (action === "unsubscribe" && topic && this.#topics.has(topic)) this.#subscribe(topic);
    if (action === "ping") {
      this.#timers.start("ping", PING_EVERY, () => this.#ping(REPLY_WITHIN));
    }
    return asked;
  }

  /** Live again when nothing that was asked on this socket is still to be answered. */
  #resume() {
    const open = this.#socket?.readyState === OPEN;
    const toAskAgain = [...this.#topics].some((topic) => this.#timers.has(topic));
    if (open && !this.#awaits("subscribe") && !toAskAgain) {
      this.#resumed = this.#wasLive = true;
      const now = this.#outside.now();
      if (this.#lostAt) this.#back = { at: now, after: now - this.#lostAt };
      this.#lostAt = 0;
    }
    this.#tell();
  }

  /**
   * Nothing of the sockets is awaited any more, nor of what was asked on them.
   * @param {Socket | null} kept the one that goes on
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
    for (const { asker } of unanswered) asker?.reject(new Refused(OFFLINE));
  }

  #lost() {
    this.#drop(null);
    this.#socket = this.#next = null;
    if (this.#resumed) this.#lostAt = this.#outside.now();
    this.#resumed = false;
    const wait = this.#backoff(++this.#failures);
    this.#retryAt = this.#outside.now() + wait;
    this.#timers.start("retry", wait, () => this.start());
    this.#tell();
  }

  /**
   * Anything up to a bound that doubles: a thousand pages that lost the same server do not
   * come back at the same moment.
   * @param {number} failures in a row, 1 or more
   */
  #backoff(failures) {
    return this.#outside.random() * Math.min(BACKOFF_MOST, BACKOFF_FIRST * 2 ** (failures - 1));
  }

  #tell() {
    this.#outside.onStatus({
      state: this.#state(),
      heardAt: this.#heardAt,
      retryAt: this.#retryAt,
      failures: this.#failures,
      back: this.#back,
    });
  }

  /** @returns {ConnectionState} */
  #state() {
    if (this.#resumed) return "live";
    if (!this.#outside.isOnline()) return "offline";
    return this.#wasLive ? "stale" : "connecting";
  }
}
