/** Formats numbers and times for the axes of a chart. Pure. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Distances of ticks, in milliseconds; none is finer than a bucket. */
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 7, 14, 28, 56, 112, 364].map((n) => n * DAY),
];

/**
 * @param {string} [locale]
 * @param {string} [timeZone]
 */
export function createAxisFormat(locale, timeZone) {
  const compact = new Intl.NumberFormat(locale, { notation: "compact" });
  const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone });
  const time = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit", timeZone });
  const wall = new Intl.DateTimeFormat("en", {
    year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", hourCycle: "h23", timeZone,
  });

  /** The time on a clock of the zone, as if it were UTC. @param {number} at in milliseconds */
  function clock(at) {
    const parts = Object.fromEntries(wall.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(parts.year ?? 0, (parts.month ?? 1) - 1, parts.day, parts.hour, parts.minute);
  }

  return {
    /** @param {number} value */
    count: (value) => compact.format(value),

    /**
     * The time of day; at midnight, and for whole days, the date.
     * @param {number} at in milliseconds
     * @param {boolean} days
     */
    time: (at, days) => (days || clock(at) % DAY === 0 ? day : time).format(at),

    /**
     * Round times and dates of the zone within a range, at most one per `least` milliseconds.
     * @param {number} from in milliseconds
     * @param {number} to
     * @param {number} least
     * @returns {{at: number, label: string}[]}
     */
    ticks(from, to, least) {
      const step = STEPS.find((one) => one >= least) ?? Math.ceil(least / DAY) * DAY;
      /** How far a time is from the next round time; summer time may add or remove an hour. @param {number} at */
      const missing = (at) => {
        const past = clock(at) % step;
        return past === 0 ? 0 : step - past;
      };
      const found = [];
      let next = Math.ceil(from / MINUTE) * MINUTE;
      next += missing(next);
      for (;;) {
        const past = clock(next) % step;
        const at = next + (past <= HOUR && step > HOUR && clock(next - past) % step === 0 ? -past : missing(next));
        if (at > to) break;
        found.push({ at, label: this.time(at, step >= DAY) });
        next = at + step;
      }
      return found;
    },
  };
}
