/** What earlier campaigns would count at each age of a campaign: the reply to `getUsual`, kept up to date. */

import { campaignTopic } from "./protocol.js";
import { Timers } from "./timers.js";
import { count, list, optional, rate, shape, time } from "./validate.js";

const series = shape({ low: list(rate), expected: list(rate), high: list(rate) });

/** The members that the page uses; `campaigns` is null if nothing is known yet. */
export const readUsual = shape({
  campaigns: optional(count), needed: optional(count), started_at: optional(time), ages: list(count),
  human_opens: optional(series), human_clicks: optional(series),
});

/** @typedef {ReturnType<typeof readUsual>} Usual */

/** It is requested again at most this often, in milliseconds. */
const EVERY = 60_000;
/** The viewers of a campaign receive a new pace at once; their requests are spread over this time. */
const SPREAD = 5_000;

export class UsualFeed {
  /** @type {Usual | null} */
  usual = null;
  /** @type {Error | null} why the last request failed */
  error = null;
  /** @type {number | null | undefined} the version of the pace when it was requested */
  #version;
  #timers;
  #ask;
  #onChange;
  #random;

  /**
   * @param {import("./feed.js").Ask} ask
   * @param {() => void} onChange
   * @param {{timers?: import("./timers.js").Clock, random?: () => number}} [environment]
   */
  constructor(ask, onChange, { timers = globalThis, random = Math.random } = {}) {
    this.#ask = ask;
    this.#onChange = onChange;
    this.#timers = new Timers(timers);
    this.#random = random;
  }

  /**
   * Request it, unless it was requested with this version of the pace or within the last minute; then
   * it is requested later.
   * @param {string} id the campaign's id
   * @param {number | null} version of the campaign's pace; null if it has none
   */
  follow(id, version) {
    if (version === this.#version || this.#timers.has(EVERY)) return;
    this.#version = version;
    this.#timers.start(EVERY, EVERY + this.#random() * SPREAD, this.#onChange);
    const failed = (/** @type {Error} */ error) => {
      this.error = error;
      this.#version = undefined;
      this.#onChange();
    };
    this.#ask({ action: "getUsual", id: campaignTopic(id), stream: false }, (/** @type {unknown} */ reply) => {
      try {
        this.usual = readUsual(reply, "usual");
        this.error = null;
      } catch (error) {
        failed(/** @type {Error} */ (error));
      }
    }).then(this.#onChange, failed);
  }

  /** Request nothing more. */
  stop() {
    this.#timers.stopAll();
  }
}
