/**
 * Incremental search: starts shortly after the last keystroke, and shows results as they arrive.
 * Needs nothing from the browser.
 */

/** @typedef {import("./protocol.js").Summary} Summary */

/** In milliseconds. */
const ASK_AFTER = 150;
const MOST = 100;

/**
 * `found`: the results so far; null if there is no query.
 * @typedef {{found: Summary[] | null, searching: boolean, failure: string | null}} Results
 */
export class Search {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #number = 0;
  #ask;
  #onResults;

  /** @param {import("./feed.js").Ask} ask @param {(results: Results) => void} onResults */
  constructor(ask, onResults) {
    this.#ask = ask;
    this.#onResults = onResults;
  }

  /** @param {string} query as typed so far; an empty query ends the search */
  type(query) {
    clearTimeout(this.#timer);
    this.#number += 1;
    const wanted = query.trim();
    if (!wanted) return this.#onResults({ found: null, searching: false, failure: null });
    this.#timer = setTimeout(() => this.#run(wanted, this.#number), ASK_AFTER);
  }

  /** @param {string} query @param {number} number results of an earlier query are ignored */
  async #run(query, number) {
    /** @type {Summary[]} */
    const found = [];
    /** @param {boolean} searching @param {string | null} failure */
    const show = (searching, failure = null) => {
      if (number === this.#number) this.#onResults({ found: [...found], searching, failure });
    };
    show(true);
    try {
      await this.#ask({ action: "searchCampaigns", query, limit: MOST }, (/** @type {Summary} */ one) => {
        found.push(one);
        show(true);
      });
      show(false);
    } catch (error) {
      show(false, error instanceof Error ? error.message : String(error));
    }
  }
}
