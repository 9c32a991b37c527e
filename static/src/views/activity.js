/** The list of events behind a counter, newest first, also as CSV. */

import { Component } from "preact";
import { LISTED, filterOf } from "../activity.js";
import { download } from "../csv.js";
import { Feed } from "../feed.js";
import { html } from "../html.js";
import { GRAINS, campaignTopic, keyOf } from "../protocol.js";
import { activityHash } from "../leader.js";
import { campaignHash } from "../route.js";
import { bucketsOf, defaultGrain } from "../select.js";
import { text } from "../glossary.js";
import { meaningOf } from "./problems.js";
import { EventRow, detailOf } from "./event.js";
import { Heading } from "./heading.js";
import { Notice } from "./notice.js";

const PAGE = 100;

/** In milliseconds. */
const AGAIN_AFTER = 3000;

/** Consecutive failures after which an export is aborted. */
const MOST_FAILURES = 10;

/** The counters that can be listed, in the order of the menu. */
const COUNTERS = [
  "all", "sends", "deliveries", "delivery_delays", "readers",
  "opens", "unique_opens", "human_opens", "unique_human_opens", "machine_opens",
  "clicks", "unique_clicks", "human_clicks", "unique_human_clicks", "machine_clicks",
  "hard_bounces", "soft_bounces", "undetermined_bounces", "prevented",
  "complaints", "complaints_not_spam", "complaints_prevented", "unsubscribes", "rejects", "rendering_failures",
];

/**
 * `exporting`: number of events that the running export has collected; null if none is running.
 * `failure`: why the last export failed.
 * @typedef {Extract<import("../route.js").Route, {view: "activity"}>} Route
 * @typedef {import("./app.js").CampaignProps & {route: Route}} Props
 * @typedef {{exporting: number | null, failure: string | null}} State
 * @extends {Component<Props, State>}
 */
export class ActivityView extends Component {
  /** @type {State} */
  state = { exporting: null, failure: null };
  #filter = filterOf(this.props.route);
  #feed = this.#makeFeed();
  /** @type {Feed | null} */
  #exported = null;
  #seen = -1;
  #askedAt = -Infinity;
  #left = false;

  componentDidMount() {
    this.#follow();
  }

  /** @param {Props} before */
  componentDidUpdate({ route }) {
    const { counter, link, kind } = this.props.route;
    if (route.counter !== counter || route.link !== link || route.kind !== kind) {
      this.#filter = filterOf(this.props.route);
      this.#newest();
    }
    this.#follow();
  }

  componentWillUnmount() {
    this.#left = true;
    for (const one of [this.#feed, this.#exported]) if (one) one.stopped = true;
  }

  #makeFeed(onChange = () => this.setState({})) {
    const { page, id } = this.props;
    const request = { action: "listActivity", id: campaignTopic(id), limit: PAGE, ...this.#filter?.limits };
    return new Feed(page.ask, request, this.#filter?.once ?? false, onChange, this.#filter?.counts);
  }

  #newest = () => {
    this.#feed.stopped = true;
    this.#feed = this.#makeFeed();
    this.#seen = -1;
    this.#askedAt = -Infinity;
    this.setState({ failure: null });
  };

  /** Request the newest page again if the counter has changed, unless the reader has paged on. */
  #follow() {
    const { page: { now, status }, route: { counter }, summary } = this.props;
    const counts = /** @type {Record<string, number>} */ (summary?.counts ?? {});
    const seen = counts[counter] ?? summary?.version ?? 0;
    const feed = this.#feed;
    if (!this.#filter || feed.busy || feed.paged || status.state !== "live" || now - this.#askedAt < AGAIN_AFTER) return;
    if (seen === this.#seen && !feed.retryable) return;
    this.#seen = seen;
    this.#askedAt = now;
    feed.refresh();
  }

  #export = async () => {
    // The reader may choose another counter meanwhile.
    const { id, route } = this.props;
    const feed = this.#makeFeed(() => this.setState({ exporting: feed.size }));
    this.#exported = feed;
    this.setState({ exporting: 0, failure: null });
    for (let failures = 0; !this.#left && failures < MOST_FAILURES;) {
      await feed.next();
      failures = feed.error ? failures + 1 : 0;
      if (feed.error && !feed.retryable) break;
      if (feed.error) await new Promise((resolve) => { setTimeout(resolve, AGAIN_AFTER); });
      else if (!feed.more) break;
    }
    if (this.#left) return;
    this.setState({ exporting: null, failure: feed.error?.message ?? null });
    if (feed.error) return;
    download(`${id} ${route.counter}`, [
      [
        "time", "type", "recipient", "message_id", "link", "engager", "reason", "bounce_type", "detail", "description",
        "subtype", "status", "diagnostic", "reporting_mta", "domain", "reported_recipient", "label",
      ],
      ...feed.rows.map((one) => [
        new Date(one.at).toISOString(), one.type, one.recipient, one.message_id, one.link, one.engager,
        one.reason, one.bounce_type, one.detail, detailOf(one),
        one.subtype, one.status, one.diagnostic, one.reporting_mta, one.domain, one.reported_recipient, one.label,
      ]),
    ]);
  };

  render() {
    const { id, route, page: { format }, summary, data } = this.props;
    const { counter, link, kind } = route;
    const count = summary?.counts[/** @type {import("../protocol.js").Counter} */ (counter)];
    const row = link ? data?.links.get(link) : undefined;
    const limited = row ? row.label ?? row.url : link ?? (kind ? meaningOf(kind) : null);
    return html`
      <a class="back" href=${campaignHash(id)}>← <bdi>${id}</bdi></a>
      <div class="head">
        <${Heading}>${text(`label.${counter}`) ?? counter}<//>
        <label class="filter">${text("activity.show")}
          ${" "}<select onChange=${(/** @type {any} */ event) => { location.hash = activityHash(id, event.target.value) ?? ""; }}>
            ${COUNTERS.map((name) => html`
              <option value=${name} selected=${name === counter}>${text(`label.${name}`)}</option>`)}
          </select>
        </label>
      </div>
      <p class="facts">
        ${typeof count === "number" && !limited && html`<span><strong>${format.count(count)}</strong></span>`}
        <span>${text(`count.${counter}`) ?? text("activity.about")}</span>
      </p>
      ${limited && html`
        <p class="notice" data-level="ok">
          ${text("activity.filtered")}: <bdi>${limited}</bdi> <a href=${activityHash(id, counter)}>${text("page.show_all")}</a>
        </p>`}
      ${this.#filter ? this.#list(limited ? undefined : count ?? undefined) : html`<${ByTime} ...${{ id, counter, data, format }} />`}`;
  }

  /** @param {number | undefined} total if it is known */
  #list(total) {
    const { page: { format } } = this.props;
    const { rows, busy, more, error, paged } = this.#feed;
    const { exporting, failure } = this.state;
    const loading = busy || this.#askedAt === -Infinity;
    const showing = !more ? "activity.showing" : total === undefined ? "activity.showing_first" : "activity.showing_of";
    const values = { count: format.count(rows.length), total: format.count(total ?? 0) };
    return html`
      ${(error || failure) && html`<${Notice}>${failure ? text("activity.failed", { reason: failure }) : error?.message}<//>`}
      <section class="panel" aria-busy=${busy}>
        <div class="panel-head">
          <p class="span">
            ${text(showing, values)}${" · "}${text("page.zone", { zone: format.zone })}
            ${paged && html`${" · "}<button type="button" onClick=${this.#newest}>${text("activity.newest")}</button>`}
          </p>
          <p class="span" role="status">${exporting === null ? "" : text("activity.exporting", { count: format.count(exporting) })}</p>
          <button type="button" aria-disabled=${exporting !== null} onClick=${exporting === null && this.#export}>${text("page.download")}</button>
        </div>
        ${rows.length > 0 && html`
          <table class="events">
            <thead><tr>${["time", "event", "recipient", "details"].map((name) => html`<th scope="col">${text(`activity.${name}`)}</th>`)}</tr></thead>
            <tbody>${rows.map((one) => html`<${EventRow} key=${keyOf(one)} one=${one} format=${format} />`)}</tbody>
          </table>`}
        ${rows.length === 0 && !error && html`<p class="none">${text(loading ? "page.loading" : "activity.none")}</p>`}
        ${rows.length > 0 && more && html`
          <button type="button" onClick=${() => this.#feed.next()}>${text(busy && paged ? "page.loading" : "page.show_more")}</button>`}
      </section>`;
  }
}

/**
 * Sends and deliveries, which are only stored as totals by time.
 * @param {{id: string, counter: string, data: import("../state.js").CampaignData | null,
 *          format: import("../format.js").Format}} props
 */
function ByTime({ id, counter, data, format }) {
  const name = /** @type {import("../protocol.js").Counter} */ (counter);
  if (!COUNTERS.includes(counter) || LISTED.includes(counter)) {
    return html`<p>${text("activity.unknown")} <a href=${campaignHash(id)}>${text("activity.back")}</a></p>`;
  }
  const grain = data ? defaultGrain(data) : "hour";
  const rows = data ? bucketsOf(data, grain).filter(({ counts }) => counts[name]).reverse() : [];
  const save = () => download(`${id} ${counter}`, [["from", grain === "day" ? "day (UTC)" : grain, counter], ...GRAINS.flatMap(
    (one) => (one === grain && data ? bucketsOf(data, one) : []),
  ).map(({ at, counts }) => [new Date(at).toISOString(), grain, counts[name] ?? 0])]);
  return html`
    <section class="panel">
      <div class="panel-head">
        <p class="span">
          ${text(`activity.by_${grain}`)}${" "}${text("page.zone", { zone: format.zone })}
        </p>
        <button type="button" onClick=${save}>${text("page.download")}</button>
      </div>
      ${rows.length > 0 ? html`
        <table class="events">
          <tbody>${rows.map(({ at, counts }) => html`
            <tr key=${at}><th scope="row">${format.bucket(at, grain)}</th><td class="number">${format.count(counts[name] ?? 0)}</td></tr>`)}
          </tbody>
        </table>` : html`<p class="none">${text(data ? "page.no_events" : "page.loading")}</p>`}
    </section>`;
}
