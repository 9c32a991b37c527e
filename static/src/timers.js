/** Named timers; starting a timer again replaces it. */

/**
 * @typedef {{setTimeout: (run: () => void, ms: number) => unknown,
 *            clearTimeout: (timer: any) => void}} Clock
 */

export class Timers {
  /** @type {Map<unknown, unknown>} */
  #running = new Map();
  #clock;

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /** @param {unknown} name @param {number} ms @param {() => void} run */
  start(name, ms, run) {
    this.stop(name);
    this.#running.set(name, this.#clock.setTimeout(() => {
      this.#running.delete(name);
      run();
    }, ms));
  }

  /** @param {unknown} name */
  stop(name) {
    this.#clock.clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  stopAll() {
    for (const name of [...this.#running.keys()]) this.stop(name);
  }

  /** @param {unknown} name */
  has(name) {
    return this.#running.has(name);
  }
}
