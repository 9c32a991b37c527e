/**
 * A campaign's activity, newest first: the newest page, which is refreshed until the reader pages
 * on to older events. Needs nothing from the browser.
 */

/**
 * @typedef {import("./protocol.js").Activity} Activity
 * @typedef {<T>(request: import("./connection.js").Request, onResult: (result: T) => void,
 *   onPage?: (page: import("./protocol.js").ResultPage) => void) => Promise<string | null>} Ask
 */

/** Errors after which the request is retried automatically. */
export const RETRYABLE = ["offline", "internal", "rate_limited"];

/** @template {{message_id: string, at?: number}} [Row=Activity] */
export class Feed {
  /** @type {Row[]} */
  #rows = [];
  /** @type {string | null} */
  #cursor = null;
  #request;
  #ask;
  #once;
  #counts;
  #onChange;
  /** @type {Promise<void> | undefined} the last refresh */
  #refreshing;
  /** Whether to request no further pages; a view sets it when the reader leaves. */
  stopped = false;
  /** Whether a request is pending. */
  busy = false;
  /** Whether it has more than the newest page, and is no longer refreshed. */
  paged = false;
  /** @type {{code: string, message: string} | null} why the last request failed */
  error = null;

  /**
   * @param {Ask} ask
   * @param {import("./connection.js").Request} request with its filters
   * @param {boolean} once whether each message is listed only once
   * @param {() => void} onChange
   * @param {(one: Row) => boolean} [counts] whether an event is listed
   */
  constructor(ask, request, once, onChange, counts = () => true) {
    this.#counts = counts;
    this.#ask = ask;
    this.#request = request;
    this.#once = once;
    this.#onChange = onChange;
  }

  /** Whether there are more pages. */
  get more() {
    return this.#cursor !== null;
  }

  /** Whether the last request failed with a transient error. */
  get retryable() {
    return this.error !== null && RETRYABLE.includes(this.error.code);
  }

  /** The number of events loaded. */
  get size() {
    return this.#rows.length;
  }

  /** @returns {Row[]} newest first; if each message is listed once, its latest event */
  get rows() {
    if (!this.#once) return this.#rows;
    const latest = new Map([...this.#rows].reverse().map((row) => [row.message_id, row]));
    return [...latest.values()].sort((a, b) => Number(b.at) - Number(a.at));
  }

  /** Load the newest page. */
  async refresh() {
    if (!this.busy) await (this.#refreshing = this.#walk(null, []));
  }

  /** Load the next page, after the newest one if that is being refreshed. */
  async next() {
    if (this.busy && (this.paged || this.size === 0)) return;
    this.paged = this.size > 0;
    await this.#refreshing;
    await this.#walk(this.#cursor, this.#rows);
  }

  /**
   * Load pages until one has events: rare events may be many pages away.
   * @param {string | null} cursor
   * @param {Row[]} before events that precede the page
   */
  async #walk(cursor, before) {
    if (this.busy) return;
    this.busy = true;
    this.#onChange();
    try {
      /** @type {Row[]} */
      const page = [];
      do {
        cursor = await this.#ask({ ...this.#request, ...(cursor && { cursor }) }, (/** @type {Row} */ one) => {
          if (this.#counts(one)) page.push(one);
        });
      } while (!page.length && cursor !== null && !this.stopped);
      this.#rows = [...before, ...page];
      this.#cursor = cursor;
      this.error = null;
    } catch (error) {
      const { code = "", message } = /** @type {Error & {code?: string}} */ (error);
      this.error = { code, message };
    }
    this.busy = false;
    this.#onChange();
  }
}
