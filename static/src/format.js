/**
 * Formats numbers, percentages, dates, and ages for a locale and time zone.
 * Pure: locale and zone are arguments; null is shown as "–".
 */

const DASH = "–";

/** Return the locale, or that of the page's texts: WebKitGTK may report "C", which is not BCP 47. @param {string} tag */
function validLocale(tag) {
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch {
    return "en";
  }
}

/**
 * @param {string} tag BCP 47, such as "de-CH"
 * @param {string} [timeZone] IANA name, such as "Europe/Zurich"; default: the runtime's
 */
export function createFormat(tag, timeZone) {
  const locale = validLocale(tag);
  const whole = new Intl.NumberFormat(locale);
  const tenths = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const percents = [0, 1, 2].map((digits) => new Intl.NumberFormat(locale, {
    style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits,
  }));
  const options = /** @type {const} */ ({
    day: "numeric", month: "short", hour: "numeric", minute: "2-digit", timeZone,
  });
  const dateTime = new Intl.DateTimeFormat(locale, { ...options, year: "numeric" });
  const second = new Intl.DateTimeFormat(locale, { ...options, second: "2-digit" });
  const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric", timeZone });
  const clock = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit", timeZone });
  const utcDay = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  const zone = dateTime.resolvedOptions().timeZone;

  /** @param {Intl.DateTimeFormat} formatter @param {number | null} at in milliseconds */
  const moment = (formatter, at) => (at === null ? DASH : formatter.format(at));

  return {
    /** @param {number | null | undefined} value */
    count: (value) => (typeof value === "number" ? whole.format(value) : DASH),

    /**
     * Format a fraction of 1 as a percentage. Only exactly 0 and 1 are shown as 0% and 100%; values
     * that would be rounded to them get "<" or ">".
     * @param {number | null} fraction
     * @param {number} digits after the decimal point, at most 2
     */
    percent(fraction, digits = 1) {
      if (fraction === null) return DASH;
      const step = 10 ** -(digits + 2);
      const percent = /** @type {Intl.NumberFormat} */ (percents[digits]);
      if (fraction > 0 && fraction < step / 2) return `<${percent.format(step)}`;
      if (fraction < 1 && fraction >= 1 - step / 2) return `>${percent.format(1 - step)}`;
      return percent.format(fraction);
    },

    /** A factor, to one decimal place. @param {number} value */
    ratio: (value) => tenths.format(value),

    /** @param {number | null} at */
    dateTime: (at) => moment(dateTime, at),

    /** To the second, for recent events. @param {number | null} at */
    moment: (at) => moment(second, at),

    /** @param {number | null} at */
    date: (at) => moment(day, at),

    /** Hours and minutes, after the date unless `near` has the same. @param {number | null} at */
    clock: (at, near = at) => moment(moment(day, at) === moment(day, near) ? clock : dateTime, at),

    /** @param {string} day a UTC day, such as "2026-11-23" */
    day: (day) => utcDay.format(Date.parse(day)),

    /**
     * The start of a bucket, or the first and the last time in several. Days are UTC days, which begin at another time of
     * day elsewhere.
     * @param {number} at @param {import("./protocol.js").Grain} grain @param {number} end of the last bucket
     */
    bucket: (at, grain, end = at + 1) => (grain === "day" && isUtc(zone) ? day : dateTime).formatRange(at, end - 1),

    /** The time zone of all times. */
    zone,

    locale,
  };
}

/** @param {string} zone */
export const isUtc = (zone) => zone === "UTC" || zone === "Etc/UTC";

/** @typedef {ReturnType<typeof createFormat>} Format */

const UNITS = /** @type {const} */ ([[86_400, "d"], [3600, "h"], [60, "min"]]);

/**
 * @param {number} milliseconds since the event; negative values (clock skew) count as 0
 * @returns {string} such as "3 s ago", "12 min ago"
 */
export function age(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  for (const [size, unit] of UNITS) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  }
  return seconds === 0 ? "just now" : `${seconds} s ago`;
}
