/** Human opens by weekday and hour, summed over campaigns. Pure. */

/** @typedef {import("./protocol.js").CampaignTimeline} CampaignTimeline */

export const DAYS = 7;
export const HOURS = 24;
/** The shades of cells; 0 is no opens. */
export const SHADES = 5;

/**
 * The hours of a week in a time zone. The server counts by hours of UTC: where the zone differs from UTC by a part of an
 * hour, each of these begins at that part, such as half past.
 */
export class Week {
  /** Opens of each hour of the week, Monday's first. */
  opens = /** @type {number[]} */ (Array(DAYS * HOURS).fill(0));
  /** The number of campaigns with human opens. */
  campaigns = 0;
  /** The minute at which each hour begins, 0 in most zones. */
  minute = 0;
  #clock;
  /** @type {Map<number, number>} the hour of the week by time */
  #known = new Map();

  /** @param {string} timeZone */
  constructor(timeZone) {
    this.#clock = new Intl.DateTimeFormat("en", { weekday: "short", hour: "numeric", minute: "numeric", hourCycle: "h23", timeZone });
  }

  /** @param {CampaignTimeline} timeline those of days do not say at which hour */
  add({ resolution, buckets }) {
    if (resolution === "day") return;
    let opened = false;
    for (const { at, human_opens: opens } of buckets) {
      if (opens === 0) continue;
      const hour = this.#hourOf(at);
      this.opens[hour] = (this.opens[hour] ?? 0) + opens;
      opened = true;
    }
    if (opened) this.campaigns += 1;
  }

  /** @param {number} at in milliseconds since 1970 */
  #hourOf(at) {
    let hour = this.#known.get(at);
    if (hour === undefined) {
      const parts = Object.fromEntries(this.#clock.formatToParts(at).map(({ type, value }) => [type, value]));
      hour = WEEKDAYS.indexOf(parts.weekday ?? "") * HOURS + Number(parts.hour);
      this.minute = Number(parts.minute);
      this.#known.set(at, hour);
    }
    return hour;
  }

  get total() {
    return this.opens.reduce((sum, one) => sum + one, 0);
  }

  /** The hour of the week with the most opens; null without any. */
  get busiest() {
    const most = Math.max(...this.opens);
    return most > 0 ? this.opens.indexOf(most) : null;
  }

  /** The shade of an hour of the week, by its share of the busiest one. @param {number} hour */
  shade(hour) {
    return Math.ceil(((this.opens[hour] ?? 0) / Math.max(1, ...this.opens)) * SHADES);
  }
}

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
