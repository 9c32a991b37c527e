/** The campaigns that match a query, loaded page by page. Needs nothing from the browser. */

import { RETRYABLE } from "./feed.js";
import { requestOf } from "./list-query.js";

/**
 * @typedef {import("./protocol.js").Summary} Summary
 * @typedef {import("./list-query.js").Query} Query
 * @typedef {import("./feed.js").Ask} Ask
 */

/** The most campaigns that the server returns at once. */
const MOST_AT_ONCE = 100;

export class Listing {
  /** @type {Summary[]} in the order of the server */
  rows = [];
  /** @type {number | null} the number of campaigns that match; null until it is known */
  total = null;
  /** @type {import("./protocol.js").Sums | null} of all campaigns that match */
  totals = null;
  /** The number of test campaigns that match and are left out. */
  hiddenTests = 0;
  /** @type {number | null} when the first page arrived, in milliseconds since 1970 */
  asOf = null;
  /** When it was loaded last, for its owner; in milliseconds since 1970. */
  askedAt = -Infinity;
  /** Whether a request is pending. */
  busy = false;
  /** @type {{code: string, message: string} | null} why the last request failed */
  error = null;
  /** @type {string | null} */
  #cursor;
  #request;
  #ask;

  /**
   * @param {Ask} ask
   * @param {Query | null} query null for all campaigns, by first event
   * @param {() => number} now in milliseconds since 1970
   * @param {() => void} onChange
   * @param {string | null} [cursor] to begin after the campaigns that a snapshot has
   */
  constructor(ask, query, now, onChange, cursor = null) {
    this.#ask = ask;
    this.#request = query ? requestOf(query) : { action: "listCampaigns" };
    this.now = now;
    this.onChange = onChange;
    this.#cursor = cursor;
  }

  /** Whether there are more pages. */
  get more() {
    return this.asOf === null || this.#cursor !== null;
  }

  /** Whether the last request failed with a transient error. */
  get retryable() {
    return this.error !== null && RETRYABLE.includes(this.error.code);
  }

  /** Load pages until there are this many rows, or all. @param {number} wanted */
  async load(wanted) {
    if (this.busy) return;
    this.busy = true;
    this.error = null;
    this.onChange();
    try {
      while (this.more && (this.asOf === null || this.rows.length < wanted)) {
        await this.#next(wanted - this.rows.length);
        this.onChange();
      }
    } catch (error) {
      const { code = "", message } = /** @type {Error & {code?: string}} */ (error);
      this.error = { code, message };
    }
    this.busy = false;
    this.onChange();
  }

  /** @param {number} wanted */
  async #next(wanted) {
    /** @type {Summary[]} */
    const page = [];
    this.#cursor = await this.#ask({
      ...this.#request, stream: false, limit: Math.min(MOST_AT_ONCE, Math.max(1, wanted)),
      ...(this.#cursor && { cursor: this.#cursor }),
    }, (/** @type {Summary} */ one) => { page.push(one); }, ({ total, totals, hidden_tests: hidden }) => {
      // Totals that arrive with later pages may be newer than the order.
      this.total ??= total;
      if (this.asOf === null) this.hiddenTests = hidden;
      this.totals ??= totals;
    });
    const known = new Set(this.rows.map(({ campaign }) => campaign.id));
    this.rows = [...this.rows, ...page.filter(({ campaign }) => !known.has(campaign.id))];
    this.asOf ??= this.now();
  }
}
