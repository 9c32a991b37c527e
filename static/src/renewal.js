/**
 * Renews a token in time, and passes it to the open connection. Checked every second, because a
 * long timer is wrong after the computer has been asleep.
 */

import { ResponseBodyError } from "oauth4webapi";

const AGAIN_AFTER = 5000;

/**
 * `authenticate` sends the new token to the server, and rejects on failure; `reconnect` connects now
 * if an attempt is pending; `end` is called when the token can no longer be renewed.
 * @typedef {{authenticate: () => Promise<unknown>, reconnect: () => void, end: () => void}} Effects
 */

export class Renewal {
  #session;
  #effects;
  #now;
  #busy = false;
  #ended = false;
  /** Whether the server has the current token of the session. */
  #serverHasToken = true;
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

  /** Renew and send the token if it is due. */
  async check() {
    if (this.#busy || this.#ended || this.#now() < this.#nextAt) return;
    this.#busy = true;
    try {
      if (this.#now() >= this.#session.renewAt) await this.#renew();
      if (!this.#serverHasToken && !this.#ended) {
        await this.#effects.authenticate();
        this.#serverHasToken = true;
      }
    } catch (error) {
      // No network, a busy issuer, a connection that is not open yet: try again later.
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
    this.#serverHasToken = false;
    this.#effects.reconnect();
  }
}

/**
 * Whether the error means that the user has to sign in again; other errors are transient.
 * @param {unknown} error
 */
const refuses = (error) => error instanceof NoRefreshToken
  || (error instanceof ResponseBodyError && (error.status === 400 || error.status === 401));

/** The issuer returned no refresh token, so the user has to sign in again. */
export class NoRefreshToken extends Error {}
