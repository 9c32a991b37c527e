/** Formats numbers and times for the axes of a chart. Pure. */

/**
 * @param {string} [locale]
 * @param {string} [timeZone]
 */
export function createAxisFormat(locale, timeZone) {
  const compact = new Intl.NumberFormat(locale, { notation: "compact" });
  const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone });
  const time = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit", timeZone });
  const hour = new Intl.DateTimeFormat("en", { hour: "numeric", minute: "numeric", hourCycle: "h23", timeZone });
  return {
    /** @param {number} value */
    count: (value) => compact.format(value),

    /**
     * The time of day; at midnight, and for whole days, the date.
     * @param {number} at in milliseconds
     * @param {boolean} days
     */
    time: (at, days) => (days || hour.format(at) === "00:00" ? day : time).format(at),
  };
}
