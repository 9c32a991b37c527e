/** The list behind a counter: who did what and when, newest first; and all of it as CSV. */

import { Component } from "preact";
import { LISTED, filterOf } from "../activity.js";
import { download } from "../csv.js";
import { Feed, keyOf } from "../feed.js";
import { html } from "../html.js";
import { GRAINS, campaignTopic } from "../protocol.js";
import { activityHash } from "../lead.js";
import { campaignHash } from "../route.js";
import { bucketsOf, defaultGrain } from "../select.js";
import { say } from "../words.js";
import { EventRow, detailOf } from "./event.js";
import { Heading } from "./heading.js";
import { Notice } from "./notice.js";

const PAGE = 100;

/** In milliseconds. */
const AGAIN_AFTER = 3000;

/** In a row, after which an export gives up. */
const MOST_FAILURES = 10;

const LABELS = /** @type {Record<string, string>} */ ({
  all: "All activity", sends: "Sent", deliveries: "Delivered", delivery_delays: "Delayed",
  opens: "All opens", unique_opens: "Messages opened", human_opens: "Opens by people",
  unique_human_opens: "Messages opened by people", machine_opens: "Opens by machines",
  clicks: "All clicks", unique_clicks: "Messages clicked", human_clicks: "Clicks by people",
  unique_human_clicks: "Messages clicked by people", machine_clicks: "Clicks by machines",
  hard_bounces: "Hard bounces", soft_bounces: "Soft bounces", undetermined_bounces: "Undetermined bounces",
  complaints: "Complaints", unsubscribes: "Unsubscribed", rejects: "Rejected", rendering_failures: "Not rendered",
});

/**
 * `exporting`: how many events an export has collected; null while there is none. `failure`: why the
 * last one came to nothing.
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
  }

  #makeFeed(onChange = () => this.setState({})) {
    const { page, id } = this.props;
    const request = { action: "listActivity", id: campaignTopic(id), limit: PAGE, ...this.#filter?.limits };
    return new Feed(page.ask, request, this.#filter?.once ?? false, onChange);
  }

  #newest = () => {
    this.#feed = this.#makeFeed();
    this.#seen = -1;
    this.#askedAt = -Infinity;
    this.setState({ failure: null });
  };

  /** What the list is of has changed: the newest page is asked for again, unless somebody reads on. */
  #follow() {
    const { page: { now, status }, route: { counter }, summary } = this.props;
    const counts = /** @type {Record<string, number>} */ (summary?.counts ?? {});
    const seen = counts[counter] ?? summary?.version ?? 0;
    const feed = this.#feed;
    if (!this.#filter || feed.busy || feed.paged || status.state !== "live" || now - this.#askedAt < AGAIN_AFTER) return;
    if (seen === this.#seen && !feed.mayPass) return;
    this.#seen = seen;
    this.#askedAt = now;
    feed.refresh();
  }

  #export = async () => {
    const feed = this.#makeFeed(() => this.setState({ exporting: feed.size }));
    this.setState({ exporting: 0, failure: null });
    for (let failures = 0; !this.#left && failures < MOST_FAILURES;) {
      await feed.next();
      failures = feed.error ? failures + 1 : 0;
      if (feed.error && !feed.mayPass) break;
      if (feed.error) await new Promise((resolve) => { setTimeout(resolve, AGAIN_AFTER); });
      else if (!feed.more) break;
    }
    if (this.#left) return;
    this.setState({ exporting: null, failure: feed.error?.message ?? null });
    if (feed.error) return;
    const { id, route } = this.props;
    download(`${id} ${route.counter}`, [
      ["time", "type", "recipient", "message_id", "link", "engager", "reason", "bounce_type", "detail", "in plain words"],
      ...feed.rows.map((one) => [
        new Date(one.at).toISOString(), one.type, one.recipient, one.message_id, one.link, one.engager,
        one.reason, one.bounce_type, one.detail, detailOf(one),
      ]),
    ]);
  };

  render() {
    const { id, route, page: { format }, summary, data } = this.props;
    const { counter, link, kind } = route;
    const count = summary?.counts[/** @type {import("../protocol.js").Counter} */ (counter)];
    const limited = link ?? (kind ? say(`bounce.${kind}`) ?? kind : null);
    return html`
      <a class="back" href=${campaignHash(id)}>← <bdi>${id}</bdi></a>
      <div class="head">
        <${Heading}>${LABELS[counter] ?? counter}<//>
        <label class="filter">Show
          ${" "}<select onChange=${(/** @type {any} */ event) => { location.hash = activityHash(id, event.target.value) ?? ""; }}>
            ${Object.keys(LABELS).map((name) => html`
              <option value=${name} selected=${name === counter}>${LABELS[name]}</option>`)}
          </select>
        </label>
      </div>
      <p class="facts">
        ${count !== undefined && !limited && html`<span><strong>${format.count(count)}</strong></span>`}
        <span>${say(`count.${counter}`) ?? "Opens, clicks, bounces, complaints and the like, newest first."}</span>
      </p>
      ${limited && html`
        <p class="notice" data-level="ok">Only: <bdi>${limited}</bdi> <a href=${activityHash(id, counter)}>Show all</a></p>`}
      ${this.#filter ? this.#list() : html`<${ByTime} ...${{ id, counter, data, format }} />`}`;
  }

  #list() {
    const { page: { format } } = this.props;
    const { rows, busy, more, error, paged } = this.#feed;
    const { exporting, failure } = this.state;
    const looking = busy || this.#askedAt === -Infinity;
    return html`
      ${(error || failure) && html`<${Notice}>${failure ? `The download came to nothing: ${failure}` : error?.message}<//>`}
      <section class="panel" aria-busy=${busy}>
        <div class="panel-head">
          <p class="span">
            ${format.count(rows.length)}${more ? " so far" : ""}${" · "}times in ${format.zone}
            ${paged && html`${" · "}<button type="button" onClick=${this.#newest}>Back to the newest</button>`}
          </p>
          <p class="span" role="status">${exporting === null ? "" : `${format.count(exporting)} collected…`}</p>
          <button type="button" aria-disabled=${exporting !== null} onClick=${exporting === null && this.#export}>Download CSV</button>
        </div>
        ${rows.length > 0 && html`
          <table class="events">
            <thead><tr><th scope="col">Time</th><th scope="col">What</th><th scope="col">Recipient</th><th scope="col">Details</th></tr></thead>
            <tbody>${rows.map((one) => html`<${EventRow} key=${keyOf(one)} one=${one} format=${format} />`)}</tbody>
          </table>`}
        ${rows.length === 0 && !error && html`<p class="none">${looking ? "Looking…" : "Nothing of this kind has happened."}</p>`}
        ${rows.length > 0 && more && html`
          <button type="button" onClick=${() => this.#feed.next()}>${busy && paged ? "Loading…" : "Show more"}</button>`}
      </section>`;
  }
}

/**
 * Sends and deliveries, the bulk, are kept by time and not one by one.
 * @param {{id: string, counter: string, data: import("../state.js").CampaignData | null,
 *          format: import("../format.js").Format}} props
 */
function ByTime({ id, counter, data, format }) {
  const name = /** @type {import("../protocol.js").Counter} */ (counter);
  if (!(counter in LABELS) || LISTED.includes(counter)) return html`<p>There is no such counter. <a href=${campaignHash(id)}>Back to the campaign</a>.</p>`;
  const grain = data ? defaultGrain(data) : "hour";
  const rows = data ? bucketsOf(data, grain).filter(({ counts }) => counts[name]).reverse() : [];
  /** @param {number} at */
  const moment = (at) => (grain === "day" ? format.utcDay : format.dateTime)(at);
  const save = () => download(`${id} ${counter}`, [["from", grain === "day" ? "day (UTC)" : grain, counter], ...GRAINS.flatMap(
    (one) => (one === grain && data ? bucketsOf(data, one) : []),
  ).map(({ at, counts }) => [new Date(at).toISOString(), grain, counts[name] ?? 0])]);
  return html`
    <section class="panel">
      <div class="panel-head">
        <p class="span">By ${grain}, newest first: single mails are not listed · ${grain === "day" ? "days in UTC" : `times in ${format.zone}`}</p>
        <button type="button" onClick=${save}>Download CSV</button>
      </div>
      ${rows.length > 0 ? html`
        <table class="events">
          <tbody>${rows.map(({ at, counts }) => html`
            <tr key=${at}><th scope="row">${moment(at)}</th><td class="number">${format.count(counts[name] ?? 0)}</td></tr>`)}
          </tbody>
        </table>` : html`<p class="none">${data ? "Nothing happened yet." : "Loading…"}</p>`}
    </section>`;
}
