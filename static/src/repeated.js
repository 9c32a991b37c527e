/** A request whose reply is refreshed while its view is visible. Needs nothing from the browser. */

import { RETRYABLE } from "./feed.js";

/** When a request that failed with a transient error is sent again, in milliseconds. */
const AGAIN_AFTER = 3000;

/** @template T */
export class Repeated {
  /** @type {T | null} of the last reply */
  value = null;
  /** @type {{code: string, message: string} | null} why the last request failed */
  error = null;
  /** Whether a request is pending. */
  busy = false;
  #askedAt = -Infinity;
  /** @type {string | undefined} */
  #version;
  #ask;
  #request;
  #decode;
  #onChange;

  /**
   * @param {import("./feed.js").Ask} ask
   * @param {import("./connection.js").Request} request
   * @param {(body: Record<string, unknown>) => T} decode throws ProtocolError
   * @param {() => void} onChange
   */
  constructor(ask, request, decode, onChange) {
    this.#ask = ask;
    this.#request = { ...request, stream: false };
    this.#decode = decode;
    this.#onChange = onChange;
  }

  /** Whether the last request failed with a transient error. */
  get retryable() {
    return this.error !== null && RETRYABLE.includes(this.error.code);
  }

  /**
   * Send the request if it is due: at once, again after this time, and soon after a transient error.
   * @param {number} now in milliseconds
   * @param {number} every in milliseconds; Infinity to send it once
   * @param {string} [version] of what the reply depends on: while it is the same, the request is not repeated
   */
  async load(now, every, version) {
    const wait = this.error ? (this.retryable ? AGAIN_AFTER : Infinity) : every;
    const isKnown = !this.error && version !== undefined && version === this.#version;
    if (this.busy || isKnown || now - this.#askedAt < wait) return;
    this.#askedAt = now;
    this.#version = version;
    this.busy = true;
    /** @type {Record<string, unknown>} */
    let body = {};
    try {
      await this.#ask(this.#request, (/** @type {Record<string, unknown>} */ reply) => { body = reply; });
      this.value = this.#decode(body);
      this.error = null;
    } catch (error) {
      const { code = "unreadable", message } = /** @type {Error & {code?: string}} */ (error);
      this.error = { code, message };
    }
    this.busy = false;
    this.#onChange();
  }
}
