/** When emails are opened: human opens by weekday and hour, over the newest campaigns that match the list's filters. */

import { Component } from "preact";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { Listing } from "../listing.js";
import { keyOfList } from "../list-query.js";
import { campaignTopic } from "../protocol.js";
import { DAYS, HOURS, SHADES, Week } from "../week.js";
import { Notice } from "./notice.js";

/** The campaigns that are added up. */
const MOST_CAMPAIGNS = 200;
const AT_ONCE = 25;
/** A Monday, in UTC. */
const MONDAY = Date.UTC(2026, 0, 5);
const HOUR = 3_600_000;

/**
 * @typedef {import("../list-query.js").Query} Query
 * @typedef {import("../protocol.js").CampaignTimeline} CampaignTimeline
 */

/**
 * `read`: the campaigns that have been read so far.
 * @typedef {{query: Query, page: import("./app.js").Page}} Props
 * @typedef {{key: string, listing: Listing, timelines: CampaignTimeline[], read: number, done: boolean, error: string | null}} Loading
 * @extends {Component<Props>}
 */
export class WeekView extends Component {
  /** @type {Loading | null} */
  #loading = null;
  /** @type {Week | null} */
  #week = null;
  #drawn = "";

  componentDidMount() {
    this.#follow();
  }

  componentDidUpdate() {
    this.#follow();
  }

  componentWillUnmount() {
    this.#loading = null;
  }

  /** Load the campaigns of the query, unless they are loaded. */
  #follow() {
    const { query, page } = this.props;
    const key = keyOfList({ ...query, sort: "first_event_at", order: "desc" });
    if (this.#loading?.key === key || page.status.state !== "live") return;
    const listing = new Listing(page.ask, { ...query, sort: "first_event_at", order: "desc" }, () => page.now, () => {});
    this.#loading = { key, listing, timelines: [], read: 0, done: false, error: null };
    this.#load(this.#loading);
  }

  /** @param {Loading} loading */
  async #load(loading) {
    const { listing } = loading;
    const current = () => this.#loading === loading;
    await listing.load(MOST_CAMPAIGNS);
    loading.error = listing.error?.message ?? null;
    const ids = listing.rows.slice(0, MOST_CAMPAIGNS).map(({ campaign }) => campaignTopic(campaign.id));
    while (current() && !loading.error && loading.read < ids.length) {
      const some = ids.slice(loading.read, loading.read + AT_ONCE);
      try {
        await this.props.page.ask({ action: "listTimelines", resolution: "hour", ids: some }, (/** @type {CampaignTimeline} */ one) => loading.timelines.push(one));
        loading.read += some.length;
      } catch (error) {
        loading.error = /** @type {Error} */ (error).message;
      }
      if (current()) this.setState({});
    }
    loading.done = !loading.error;
    if (current()) this.setState({});
  }

  #again = () => {
    this.#loading = null;
    this.#follow();
    this.setState({});
  };

  /** @param {Loading} loading @param {string} zone */
  #sum({ key, timelines }, zone) {
    const drawn = `${key} ${zone} ${timelines.length}`;
    if (!this.#week || this.#drawn !== drawn) {
      this.#week = new Week(zone);
      for (const one of timelines) this.#week.add(one);
      this.#drawn = drawn;
    }
    return this.#week;
  }

  render() {
    const { page: { format } } = this.props;
    const loading = this.#loading;
    if (!loading) return html`<p class="none">${text("page.loading")}</p>`;
    if (loading.error) {
      return html`<${Notice}>${text("list.failed", { reason: loading.error })} <button type="button" onClick=${this.#again}>${text("list.retry")}</button><//>`;
    }
    const wanted = Math.min(MOST_CAMPAIGNS, loading.listing.total ?? 0);
    if (!loading.done) {
      return html`<p class="none" role="status">${text("week.loading", { count: format.count(loading.read), total: format.count(wanted) })}</p>`;
    }
    const week = this.#sum(loading, format.zone);
    if (week.busiest === null) return html`<p class="none">${text("week.none")}</p>`;
    const covers = { count: format.count(wanted), total: format.count(loading.listing.total), opens: format.count(week.total), zone: format.zone };
    return html`
      <p class="covered">${text("week.busiest", {
        day: dayName(week.busiest, format.locale, "long"), from: clockOf(week.busiest, week.minute, format.locale),
        to: clockOf(week.busiest + 1, week.minute, format.locale), share: format.percent((week.opens[week.busiest] ?? 0) / week.total),
      })} ${text((loading.listing.total ?? 0) > wanted ? "week.covers_newest" : wanted === 1 ? "week.covers_one" : "week.covers", covers)}
        ${week.minute > 0 && ` ${text("week.part", { time: clockOf(10, week.minute, format.locale) })}`}</p>
      <${Table} week=${week} format=${format} />
      <p class="legend shades" aria-hidden="true">${text("week.fewest")} ${Array.from({ length: SHADES + 1 }, (_, shade) => html`<i class=${`shade-${shade}`}></i>`)} ${text("week.most")}</p>`;
  }
}

/** Days in rows, or on a narrow screen hours. @param {{week: Week, format: import("../format.js").Format}} props */
function Table({ week, format }) {
  const isNarrow = matchMedia("(max-width: 900px)").matches;
  const days = Array.from({ length: DAYS }, (_, day) => day * HOURS);
  const hours = Array.from({ length: HOURS }, (_, hour) => hour);
  const [rows, columns] = isNarrow ? [hours, days] : [days, hours];
  /** @param {number} place @param {boolean} isDay */
  const name = (place, isDay) => (isDay ? dayName(place, format.locale, "short") : hourName(place, week.minute));
  return html`
    <table class=${isNarrow ? "week narrow" : "week"} aria-label=${text("week.label")}>
      <thead><tr><td></td>${columns.map((one) => html`<th scope="col" key=${one}>${name(one, isNarrow)}</th>`)}</tr></thead>
      <tbody>
        ${rows.map((row) => html`
          <tr key=${row}>
            <th scope="row">${name(row, !isNarrow)}</th>
            ${columns.map((column) => {
              const opens = week.opens[row + column] ?? 0;
              return html`<td key=${column} class=${`shade-${week.shade(row + column)}`} title=${format.percent(opens / week.total)}>${compact(opens, format.locale)}</td>`;
            })}
          </tr>`)}
      </tbody>
    </table>`;
}

/** @param {number} hour of the week @param {string | undefined} locale @param {"short" | "long"} weekday */
const dayName = (hour, locale, weekday) => new Intl.DateTimeFormat(locale, { weekday, timeZone: "UTC" }).format(MONDAY + hour * HOUR);

/** @param {number} hour of the week @param {number} minute @param {string | undefined} locale */
const clockOf = (hour, minute, locale) => new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit", timeZone: "UTC" })
  .format(MONDAY + hour * HOUR + minute * 60_000);

/** @param {number} hour @param {number} minute */
const hourName = (hour, minute) => (minute ? `${hour}:${String(minute).padStart(2, "0")}` : String(hour));

/** @param {number} value @param {string | undefined} locale */
const compact = (value, locale) => new Intl.NumberFormat(locale, { notation: "compact", maximumSignificantDigits: 2 }).format(value);
