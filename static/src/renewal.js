/**
 * Renews a token in time, and tells the running connection. Looked at each second: a machine that
 * has slept wakes with a timer that knows nothing of it.
 */

import { ResponseBodyError } from "oauth4webapi";

const AGAIN_AFTER = 5000;

/**
 * `authenticate` tells the server the new token, and rejects when it could not; `reconnect` connects
 * now if that is waited for; `end` is called once nothing can be renewed any more.
 * @typedef {{authenticate: () => Promise<unknown>, reconnect: () => void, end: () => void}} Effects
 */

export class Renewal {
  #session;
  #effects;
  #now;
  #busy = false;
  #ended = false;
  /** Whether the server knows the token that the session has. */
  #told = true;
  #nextAt = 0;

  /**
   * @param {Pick<import("./session.js").Session, "renew" | "renewAt">} session
   * @param {Effects} effects
   * @param {() => number} [now] in milliseconds since 1970
   */
  constructor(session, effects, now = Date.now) {
    this.#session = session;
    this.#effects = effects;
    this.#now = now;
  }

  /** Do what is due. */
  async check() {
    if (this.#busy || this.#ended || this.#now() < this.#nextAt) return;
    this.#busy = true;
    try {
      if (this.#now() >= this.#session.renewAt) await this.#renew();
      if (!this.#told && !this.#ended) {
        await this.#effects.authenticate();
        this.#told = true;
      }
    } catch (error) {
      // No network, a busy issuer, a connection that is just being made: it may work later.
      console.info(error);
      this.#nextAt = this.#now() + AGAIN_AFTER;
    } finally {
      this.#busy = false;
    }
  }

  async #renew() {
    try {
      await this.#session.renew();
    } catch (error) {
      if (!refuses(error)) throw error;
      this.#ended = true;
      this.#effects.end();
      throw error;
    }
    this.#told = false;
    this.#effects.reconnect();
  }
}

/**
 * Whether it says that one has to sign in again, and not that something is wrong just now.
 * @param {unknown} error
 */
const refuses = (error) => error instanceof NoRefreshToken
  || (error instanceof ResponseBodyError && (error.status === 400 || error.status === 401));

/** The issuer lets nobody stay who does not sign in again. */
export class NoRefreshToken extends Error {}
