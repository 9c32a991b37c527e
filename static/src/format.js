/**
 * Numbers, percentages, dates and ages as a reader in one locale and time zone sees them.
 * Pure: locale and zone are arguments, null and unknown are shown as "–".
 */

const DASH = "–";

/**
 * @param {string} [locale] BCP 47, such as "de-CH"; the runtime's own when left out
 * @param {string} [timeZone] IANA name, such as "Europe/Zurich"; the runtime's own when left out
 */
export function createFormat(locale, timeZone) {
  const whole = new Intl.NumberFormat(locale);
  const percents = [0, 1, 2].map((digits) => new Intl.NumberFormat(locale, {
    style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits,
  }));
  const options = /** @type {const} */ ({
    day: "numeric", month: "short", hour: "numeric", minute: "2-digit", timeZone,
  });
  const dateTime = new Intl.DateTimeFormat(locale, { ...options, year: "numeric" });
  const second = new Intl.DateTimeFormat(locale, { ...options, second: "2-digit" });
  const utcDay = new Intl.DateTimeFormat(locale, {
    day: "numeric", month: "short", year: "numeric", timeZone: "UTC",
  });

  /** @param {Intl.DateTimeFormat} formatter @param {number | null} at in milliseconds */
  const moment = (formatter, at) => (at === null ? DASH : formatter.format(at));

  return {
    /** @param {number} value */
    count: (value) => whole.format(value),

    /**
     * A fraction of 1 as a percentage. Only what is exactly 0 or 1 is shown as 0 % or 100 %,
     * without decimals; what merely rounds to them is not.
     * @param {number | null} fraction
     * @param {number} digits after the decimal point, at most 2
     */
    percent(fraction, digits = 1) {
      if (fraction === null) return DASH;
      const step = 10 ** -(digits + 2);
      const shown = fraction === 0 || fraction === 1 ? 0 : digits;
      const percent = /** @type {Intl.NumberFormat} */ (percents[shown]);
      if (fraction > 0 && fraction < step / 2) return `<${percent.format(step)}`;
      if (fraction < 1 && fraction > 1 - step / 2) return `>${percent.format(1 - step)}`;
      return percent.format(fraction);
    },

    /** @param {number | null} at */
    dateTime: (at) => moment(dateTime, at),

    /** To the second, for what has happened lately. @param {number | null} at */
    moment: (at) => moment(second, at),

    /** A bucket's day, which is a UTC day wherever the reader is. @param {number | null} at */
    utcDay: (at) => moment(utcDay, at),

    /** The zone in which times are shown. */
    zone: dateTime.resolvedOptions().timeZone,

    locale,
  };
}

/** @typedef {ReturnType<typeof createFormat>} Format */

const UNITS = /** @type {const} */ ([[86_400, "d"], [3600, "h"], [60, "min"]]);

/**
 * @param {number} milliseconds since it happened; below 0 (clocks differ) counts as 0
 * @returns {string} such as "3 s ago", "12 min ago"
 */
export function age(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  for (const [size, unit] of UNITS) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  }
  return seconds === 0 ? "just now" : `${seconds} s ago`;
}
