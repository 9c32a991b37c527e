/**
 * All campaigns with their key numbers. Without search, filters and sorting, the list is live: the newest
 * activity comes first. Otherwise the order is that of the time when it was loaded, and the numbers are live.
 */

import { Component } from "preact";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { Listing } from "../listing.js";
import {
  MOST_CHARACTERS, MOST_ROWS, NEWEST, STEP, hides, isFiltered, isLive, keyOfList, listHash, orderKey, parseQuery, sortedBy, unfiltered,
} from "../list-query.js";
import { onScreen } from "../on-screen.js";
import { ranked } from "../ranking.js";
import { Sparklines } from "../sparklines.js";
import { newerCampaign } from "../state.js";
import { isOfEarlierRelease, sumOf } from "../totals.js";
import { CampaignTable } from "./campaign-table.js";
import { EmptyView } from "./empty.js";
import { Heading } from "./heading.js";
import { ListFilters, describe } from "./list-filters.js";
import { Notice, ServerErrorNotice } from "./notice.js";
import { QueryProblems } from "./query-problems.js";
import { lazy } from "./lazy.js";
import { Totals } from "./totals.js";

const WeekView = lazy(() => import("./week.js").then((module) => module.WeekView));

/**
 * @typedef {import("../protocol.js").Summary} Summary
 * @typedef {import("../list-query.js").Query} Query
 */

/** In milliseconds. */
const SEARCH_AFTER = 200;
const AGAIN_AFTER = 3000;
const SCROLLED_AFTER = 500;
const OVERALL_AGAIN_AFTER = 60_000;

/** Rows above the window whose sparklines are loaded. */
const NEAR = 10;

/** The list that was shown last: going back to it shows it at once. @type {{key: string, listing: Listing} | null} */
let kept = null;

/**
 * `typed`: the search as typed, with spaces that the URL leaves out; `week`: whether the hours of opens have been opened.
 * @typedef {{page: import("./app.js").Page, query: string,
 *            topic: import("../state.js").TopicState | undefined}} Props
 * @extends {Component<Props, {typed: string | null, week: boolean}>}
 */
export class ListView extends Component {
  /** @type {{typed: string | null, week: boolean}} */
  state = { typed: null, week: false };
  #text = this.props.query;
  #parsed = parseQuery(this.props.query);
  #redraw = () => this.setState({});
  #sparklines = new Sparklines((request, onResult) => this.props.page.ask(request, onResult), this.#redraw);
  /** @type {Listing | null} what is loading or loaded; of the live list, its older campaigns */
  #listing = null;
  #key = "";
  /** @type {{query: Query, listing: Listing | null} | null} what is shown, until the query's rows are loaded */
  #shown = null;
  /** @type {Listing | null} only for the totals of the live list, if it is not complete */
  #overall = null;
  /** @type {string[] | null} the campaigns that are stated to be on the screen; null for all */
  #stated = null;
  /** @type {string | null} the cursor at which the older campaigns of the live list begin */
  #olderThan = null;
  /** @type {Set<string>} */
  #tags = new Set();
  /** The index of the first row on the screen. */
  #first = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #scrolling;

  componentDidMount() {
    addEventListener("scroll", this.#onScroll, { passive: true });
    this.#follow();
  }

  componentDidUpdate() {
    this.#follow();
  }

  componentWillUnmount() {
    removeEventListener("scroll", this.#onScroll);
    clearTimeout(this.#scrolling);
    // What is being typed does not lead back here: Chromium reports a filter as changed when its field leaves the page.
    this.#key = "";
  }

  get #data() {
    const { topic } = this.props;
    return topic?.shown?.type === "list" ? topic.shown : null;
  }

  /** @param {Query | null} query @param {string | null} [cursor] */
  #list(query, cursor) {
    return new Listing(this.props.page.ask, query, this.#now, this.#redraw, cursor);
  }

  #now = () => this.props.page.now;

  /** Choose what to show: the query's rows once they are loaded. */
  #choose() {
    if (this.#text !== this.props.query) this.#parsed = parseQuery(this.props.query);
    this.#text = this.props.query;
    const { query } = this.#parsed;
    const key = keyOfList(query);
    if (key !== this.#key) {
      this.#key = key;
      this.#listing = isLive(query) ? null : this.#keptFor(key) ?? this.#list(query);
      this.#olderThan = null;
    }
    if (this.#listing?.asOf) this.#shown = { query, listing: this.#listing };
    else if (isLive(query)) this.#shown = { query, listing: this.#shown && isLive(this.#shown.query) ? this.#shown.listing : null };
    if (this.#listing?.asOf && !isLive(query)) kept = { key, listing: this.#listing };
  }

  /** Load what is missing, once the page is connected, and again after a transient error. */
  #follow() {
    const { page } = this.props;
    this.#state();
    if (page.status.state !== "live") return;
    this.#load();
    const start = Math.max(0, this.#first - NEAR);
    this.#sparklines.load(this.#rows().slice(start, Math.min(this.#first + STEP, this.#parsed.query.rows)), page.now);
  }

  /** @param {string} key @returns {Listing | undefined} */
  #keptFor(key) {
    if (kept?.key !== key) return undefined;
    return Object.assign(kept.listing, { now: this.#now, onChange: this.#redraw });
  }

  /** Request what is missing. */
  #load() {
    const { query } = this.#parsed;
    const data = this.#data;
    if (!isLive(query)) return this.#request(this.#listing, query.rows);
    if (!data || (data.cursor === null && !this.#rows().some(isOfEarlierRelease))) return;
    this.#overall ??= this.#list(NEWEST);
    this.#request(this.#overall, 1, OVERALL_AGAIN_AFTER);
    const size = [...data.campaigns.values()].filter((one) => !hides(query, one)).length;
    if (data.cursor === null || query.rows <= size) return;
    // A snapshot with newer campaigns leaves out as many older ones.
    if (this.#olderThan !== data.cursor) this.#listing = this.#list(null, data.cursor);
    this.#olderThan = data.cursor;
    this.#request(this.#listing, query.rows - size);
  }

  /** @param {Listing | null} listing @param {number} rows @param {number} [againAfter] an error, in milliseconds */
  #request(listing, rows, againAfter = AGAIN_AFTER) {
    if (!listing || listing.busy || !listing.more || (listing.asOf !== null && listing.rows.length >= rows)) return;
    if (listing.error && (!listing.retryable || this.#now() - listing.askedAt < againAfter)) return;
    listing.askedAt = this.#now();
    listing.load(rows);
  }

  /** State which campaigns are on the screen; of the live list, changes of all are pushed. */
  #state() {
    const { query } = this.#parsed;
    if (!this.#shown || keyOfList(this.#shown.query) !== this.#key || (!isLive(query) && this.#listing?.busy)) return;
    const ids = isLive(query) ? null : onScreen(
      this.#rows().slice(0, query.rows).map(({ campaign }) => campaign.id), this.#first, this.#stated,
    );
    if (String(ids) === String(this.#stated)) return;
    this.#stated = ids;
    this.props.page.watch(ids ?? undefined);
  }

  #onScroll = () => {
    clearTimeout(this.#scrolling);
    this.#scrolling = setTimeout(() => {
      this.#first = firstOnScreen();
      this.#follow();
    }, SCROLLED_AFTER);
  };

  /** @returns {Summary[]} what is shown, with the current numbers, in the order of the list */
  #rows() {
    return this.#shown ? this.#known(this.#shown).filter((one) => !hides(this.#parsed.query, one)) : [];
  }

  /** @param {{query: Query, listing: Listing | null}} shown @returns {Summary[]} the rows, and test campaigns among them */
  #known({ query, listing }) {
    const campaigns = this.#data?.campaigns ?? new Map();
    const rows = (listing?.rows ?? []).map((one) => {
      const pushed = campaigns.get(one.campaign.id);
      return pushed ? newerCampaign(one, pushed) : one;
    });
    if (!isLive(query)) return rows;
    const all = new Map([...campaigns, ...rows.map((one) => /** @type {const} */ ([one.campaign.id, one]))]);
    return ranked(all.values(), this.#now());
  }

  /** All tags of campaigns that have been shown, so that one filter can replace another. @param {Summary[]} rows */
  #tagsOf(rows) {
    for (const { campaign } of rows) for (const tag of campaign.tags ?? []) this.#tags.add(tag);
    return [...this.#tags].sort();
  }

  /** @param {Query} query @param {boolean} [replace] whether Back skips the current one */
  #go = (query, replace) => this.#key && this.props.page.go(listHash(query), replace);

  /** @param {string} typed */
  #type(typed) {
    this.setState({ typed });
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => {
      this.#typing = undefined;
      const { query } = this.#parsed;
      const search = typed.trim();
      // Back leads to the list before the search, not to parts of words.
      if (search !== query.search) this.#go({ ...query, search, rows: STEP }, query.search !== "");
    }, SEARCH_AFTER);
  }

  /** The search as typed, unless the URL has changed meanwhile. */
  get #typed() {
    const { typed } = this.state;
    const { search } = this.#parsed.query;
    return typed !== null && (this.#typing !== undefined || typed.trim() === search) ? typed : search;
  }

  #again = () => {
    this.#listing = this.#list(this.#parsed.query);
    this.#follow();
  };

  #more = () => {
    const { query } = this.#parsed;
    this.#go({ ...query, rows: Math.min(MOST_ROWS, query.rows + STEP) }, true);
  };

  render() {
    this.#choose();
    const { page: { now }, topic } = this.props;
    const { query, problems } = this.#parsed;
    const data = this.#data;
    if (data && data.campaigns.size === 0 && isLive(query)) return html`<${EmptyView} />`;
    const error = this.#listing?.error;
    const shown = this.#shown && (data || !isLive(this.#shown.query)) ? this.#shown : null;
    const rows = shown ? this.#rows() : [];
    const isEmpty = shown !== null && rows.length === 0 && !this.#isLoading;
    return html`
      <div class="head">
        <${Heading}>${text("list.title")}<//>
        <a class="button" href="#/compare">${text("list.compare")}</a>
        <a class="button" href="#/wall">${text("campaign.wall")}</a>
        <input type="search" class="search" aria-label=${text("list.search")} placeholder=${text("list.search_hint")}
          maxlength=${MOST_CHARACTERS} value=${this.#typed}
          onInput=${(/** @type {any} */ event) => this.#type(event.target.value)} />
      </div>
      <${ListFilters} query=${query} now=${now} tags=${this.#tagsOf(rows)} clearable=${!isEmpty} onChange=${this.#go} />
      <${QueryProblems} problems=${problems} onDismiss=${() => this.#go(query, true)} />
      ${topic?.error && html`<${ServerErrorNotice} error=${topic.error} />`}
      ${error && html`
        <${Notice}>
          ${text("list.failed", { reason: error.message })} ${this.#listing?.retryable
            ? text("page.retrying") : html`<button type="button" onClick=${this.#again}>${text("list.retry")}</button>`}
        <//>`}
      ${isEmpty ? this.#nothing() : shown ? this.#found(shown, rows) : !topic?.error && !error && html`<p class="none">${text("page.loading")}</p>`}`;
  }

  /** Whether what is shown is not yet what the query asks for. */
  get #isLoading() {
    const { query } = this.#parsed;
    return (!isLive(query) && this.#shown?.listing !== this.#listing) || keyOfList(this.#shown?.query ?? NEWEST) !== keyOfList(query);
  }

  #nothing() {
    const { query } = this.#parsed;
    return html`
      <section class="panel">
        ${isFiltered(query) && html`
          <p role="status">${text("list.none_match", { filters: describe(query, this.props.page.format) })}</p>
          <button type="button" onClick=${() => this.#go(unfiltered(query))}>${text("list.clear")}</button>`}
        <p class="span order-of">${this.#hidden()}</p>
      </section>`;
  }

  /** How many test campaigns match and are hidden, if there are any. */
  #hidden() {
    const { query } = this.#parsed;
    const { listing } = this.#shown ?? {};
    const known = this.#shown ? this.#known(this.#shown).filter((one) => hides(query, one)).length : 0;
    const hidden = Math.max(known, (isLive(query) ? this.#overall : listing)?.hiddenTests ?? 0);
    return hidden > 0 && html`
      <span>${text(hidden === 1 ? "list.one_test_hidden" : "list.tests_hidden", { count: this.props.page.format.count(hidden) })}</span>
      <button type="button" onClick=${() => this.#go({ ...query, tests: 1 })}>${text("list.show_tests")}</button>`;
  }

  /** @param {{query: Query, listing: Listing | null}} shown @param {Summary[]} all the rows that are loaded */
  #found({ query, listing }, all) {
    const { format, now } = this.props.page;
    const { count } = format;
    const live = isLive(query);
    const loading = this.#isLoading;
    const { title, total, sums, asOf, complete } = this.#sums(query, listing, all);
    const rows = all.slice(0, loading ? query.rows : this.#parsed.query.rows);
    const left = (total ?? Infinity) - rows.length;
    const failed = this.#listing?.error && !this.#listing.retryable;
    return html`
      <p class="printed">
        ${isFiltered(query) && text("list.printed_filters", { filters: describe(query, format) })}
        ${text("list.printed_order", { sort: text(`list.by_${query.sort}`), order: text(orderKey(query)) })}
      </p>
      <${Totals} title=${title} sums=${sums} asOf=${asOf} now=${now} format=${format} />
      <details class="of-week" onToggle=${() => this.setState({ week: true })}>
        <summary>${text("week.title")}</summary>
        ${this.state.week && html`<${WeekView} query=${this.#parsed.query} page=${this.props.page} />`}
      </details>
      <p class="span order-of">
        <span role="status">
          ${loading ? !failed && text("page.loading") : text(total === null ? "activity.showing" : "activity.showing_of", { count: count(rows.length), total: count(total) })}
        </span>
        ${!live && listing && html`
          <span class="on-screen">${text("list.sorted", { time: format.clock(listing.asOf, now) })}</span>
          <button type="button" onClick=${this.#again} disabled=${loading}>${text("list.sort_again")}</button>`}
        ${!loading && this.#hidden()}
      </p>
      <${CampaignTable} rows=${rows} query=${this.#parsed.query} busy=${loading} now=${now} format=${format} sparklines=${this.#sparklines}
        onSort=${(/** @type {string} */ sort) => this.#go(sortedBy(this.#parsed.query, sort))} />
      ${left > 0 && (all.length > rows.length || !complete) && rows.length < MOST_ROWS && html`
        <button type="button" onClick=${this.#more}>
          ${listing?.busy ? text("page.loading") : left === Infinity ? text("page.show_more") : text("list.more", { count: count(left) })}
        </button>`}
      ${left > 0 && rows.length >= MOST_ROWS && html`<p class="span">${text("list.most", { count: count(MOST_ROWS) })}</p>`}`;
  }

  /**
   * The sums of the rows if all campaigns that match are loaded, because these are live; else those of the server.
   * @param {Query} query @param {Listing | null} listing @param {Summary[]} all
   */
  #sums(query, listing, all) {
    const live = isLive(query);
    const complete = live && this.#data?.cursor === null ? true : Boolean(listing && !listing.more);
    const overall = live ? this.#overall : listing;
    const known = overall?.total ?? null;
    // Campaigns may have begun since.
    const total = complete ? all.length : known && Math.max(known, all.length);
    // Only the server knows some numbers of campaigns that an earlier release counted.
    const sums = overall?.totals && !(complete && !all.some(isOfEarlierRelease)) ? overall.totals : complete ? sumOf(all) : null;
    const key = isFiltered(query) ? "list.match" : "list.every";
    const title = total === null ? text("page.all_campaigns") : text(total === 1 ? `${key}_one` : key, { count: this.props.page.format.count(total) });
    return { title, total, sums, asOf: sums && sums === overall?.totals ? overall.asOf : null, complete };
  }
}

/** The index of the first row below the upper edge of the window. */
function firstOnScreen() {
  const rows = [...document.querySelectorAll(".campaigns tbody tr")];
  return Math.max(0, rows.findIndex((row) => row.getBoundingClientRect().bottom > 0));
}
