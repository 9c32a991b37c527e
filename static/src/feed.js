/**
 * A campaign's activity, newest first: asked for page by page, and its newest page again when
 * something has changed. Needs nothing from the browser.
 */

/**
 * @typedef {import("./protocol.js").Activity} Activity
 * @typedef {<T>(request: import("./connection.js").Request, onResult: (result: T) => void)
 *   => Promise<string | null>} Ask
 */

/** @param {Activity} one */
const key = ({ at, type, message_id: id, link, recipient }) => [at, type, id, link, recipient].join("\n");

export class Feed {
  /** @type {Map<string, Activity>} */
  #rows = new Map();
  /** @type {string | null | undefined} undefined before the first page */
  #cursor;
  #request;
  #ask;
  #once;
  #onChange;
  /** Whether an answer is awaited. */
  busy = false;
  /** @type {string | null} why the last question was not answered */
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

  /** How many are known. */
  get size() {
    return this.#rows.size;
  }

  /** @returns {Activity[]} newest first */
  get rows() {
    const oldestFirst = [...this.#rows.values()].sort((a, b) => a.at - b.at);
    if (!this.#once) return oldestFirst.reverse();
    const latest = new Map(oldestFirst.map((row) => [row.message_id, row]));
    return [...latest.values()].sort((a, b) => b.at - a.at);
  }

  /** Ask for the newest page: what has changed its class since no longer belongs here. */
  async refresh() {
    await this.#page(null, (page, cursor) => {
      const oldest = cursor === null ? -Infinity : page.at(-1)?.at ?? Infinity;
      // With more news than a page holds, what was known before is not what follows it.
      const follows = page.some((one) => this.#rows.has(key(one)));
      for (const [known, row] of this.#rows) {
        if (row.at > oldest || !follows) this.#rows.delete(known);
      }
      if (!follows || cursor === null) this.#cursor = cursor;
    });
  }

  /** Ask for the next page. */
  async next() {
    await this.#page(this.#cursor ?? null, (_, cursor) => { this.#cursor = cursor; });
  }

  /**
   * @param {string | null} cursor
   * @param {(page: Activity[], cursor: string | null) => void} done before the page is taken in
   */
  async #page(cursor, done) {
    if (this.busy) return;
    this.busy = true;
    this.error = null;
    this.#onChange();
    /** @type {Activity[]} */
    const page = [];
    try {
      const following = await this.#ask({ ...this.#request, ...(cursor && { cursor }) }, (/** @type {Activity} */ one) => {
        page.push(one);
      });
      done(page, following);
      for (const one of page) this.#rows.set(key(one), one);
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error);
    }
    this.busy = false;
    this.#onChange();
  }
}
