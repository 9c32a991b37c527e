/**
 * A campaign's activity, newest first: the newest page, asked for again when something has changed,
 * until the reader goes on to older ones. Needs nothing from the browser.
 */

/**
 * @typedef {import("./protocol.js").Activity} Activity
 * @typedef {<T>(request: import("./connection.js").Request, onResult: (result: T) => void)
 *   => Promise<string | null>} Ask
 */

/** Errors after which it is worth to ask again by itself. */
const PASSING = ["offline", "internal", "rate_limited"];

/** @param {Activity} one tells it from others */
export const keyOf = ({ at, type, message_id: id, link, recipient }) => [at, type, id, link, recipient].join("\n");

export class Feed {
  /** @type {Activity[]} */
  #rows = [];
  /** @type {string | null} */
  #cursor = null;
  #request;
  #ask;
  #once;
  #onChange;
  /** Whether an answer is awaited. */
  busy = false;
  /** Whether it holds more than the newest page: then it stays as it is. */
  paged = false;
  /** @type {{code: string, message: string} | null} why the last question was not answered */
  error = null;

  /**
   * @param {Ask} ask
   * @param {import("./connection.js").Request} request `listActivity` with its limits
   * @param {boolean} once whether a message is listed once
   * @param {() => void} onChange
   */
  constructor(ask, request, once, onChange) {
    this.#ask = ask;
    this.#request = request;
    this.#once = once;
    this.#onChange = onChange;
  }

  /** Whether there is more to ask for. */
  get more() {
    return this.#cursor !== null;
  }

  /** Whether the last question failed in a way that may pass. */
  get mayPass() {
    return this.error !== null && PASSING.includes(this.error.code);
  }

  /** How many are known. */
  get size() {
    return this.#rows.length;
  }

  /** @returns {Activity[]} newest first; a message that is listed once, by its latest event */
  get rows() {
    if (!this.#once) return this.#rows;
    const latest = new Map([...this.#rows].reverse().map((row) => [row.message_id, row]));
    return [...latest.values()].sort((a, b) => b.at - a.at);
  }

  /** Ask for the newest page. */
  async refresh() {
    await this.#walk(null, []);
  }

  /** Ask for the next page. */
  async next() {
    this.paged = this.size > 0;
    await this.#walk(this.#cursor, this.#rows);
  }

  /**
   * Ask until something is found: what is rare may begin many pages on.
   * @param {string | null} cursor
   * @param {Activity[]} before what the page is added to
   */
  async #walk(cursor, before) {
    if (this.busy) return;
    this.busy = true;
    this.#onChange();
    try {
      /** @type {Activity[]} */
      const page = [];
      do {
        cursor = await this.#ask({ ...this.#request, ...(cursor && { cursor }) }, (/** @type {Activity} */ one) => {
          page.push(one);
        });
      } while (!page.length && cursor !== null);
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
