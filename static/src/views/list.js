/** All campaigns with their key numbers, the newest activity first, with incremental search. */

import { Component } from "preact";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { shownRate } from "../rates.js";
import { judgeCampaign } from "../reputation.js";
import { HEIGHT, WIDTH, bars } from "../sparkline.js";
import { campaignTopic } from "../protocol.js";
import { campaignHash } from "../route.js";
import { isActive, ranked } from "../ranking.js";
import { Count } from "./count.js";
import { EmptyView } from "./empty.js";
import { Heading } from "./heading.js";
import { ServerErrorNotice } from "./notice.js";
import { Definition } from "./definition.js";

/** @typedef {import("../protocol.js").Summary} Summary */
/** @typedef {import("../protocol.js").CampaignTimeline} CampaignTimeline */

const PAGE = 50;
const SPARKLINES_AT_ONCE = 25;
const SPARKLINES_EVERY = 10_000;

/** The columns after the number of sends: rate, counter, digits. */
const RATES = /** @type {const} */ ([
  ["delivery", "deliveries", 1],
  ["read", "readers", 1],
  ["human_click", "unique_human_clicks", 1],
  ["bounce", "hard_bounces", 1],
  ["complaint", "complaints", 2],
]);

/**
 * @typedef {{page: import("./app.js").Page,
 *            topic: import("../state.js").TopicState | undefined}} Props
 * `older`: campaigns that the snapshot leaves out, as far as they are loaded; `cursor` of the next ones, undefined
 * until the first are loaded.
 * @typedef {{most: number, query: string, older: Summary[], cursor?: string | null, failed: boolean}
 *   & import("../search.js").Results} State
 * @extends {Component<Props, State>}
 */
export class ListView extends Component {
  /** @type {State} */
  state = { most: PAGE, query: "", found: null, searching: false, failure: null, older: [], failed: false };
  /** @type {Map<string, {version: number, timeline: CampaignTimeline | null}>} */
  #sparklines = new Map();
  #askedAt = -Infinity;
  /** @type {Promise<import("../search.js").Search> | undefined} */
  #search;

  componentDidUpdate() {
    this.#loadSparklines();
  }

  componentDidMount() {
    this.#loadSparklines();
  }

  /** Load the search with the first letter. @param {string} query */
  async #type(query) {
    this.setState({ query });
    this.#search ??= import("../search.js").then(({ Search }) => new Search(
      (request, onResult) => this.props.page.ask(request, onResult),
      (results) => this.setState(results),
    ));
    (await this.#search).type(query);
  }

  /** Request the sparklines of visible campaigns that have changed, some at a time. */
  #loadSparklines() {
    const { page } = this.props;
    if (page.status.state !== "live" || page.now - this.#askedAt < SPARKLINES_EVERY) return;
    const rows = this.#rows().slice(0, this.state.most);
    const unknown = rows.filter(({ campaign: { id } }) => !this.#sparklines.has(id));
    const changed = (unknown.length ? unknown
      : rows.filter(({ campaign: { id }, version }) => this.#sparklines.get(id)?.version !== version)
    ).slice(0, SPARKLINES_AT_ONCE);
    if (!changed.length) return;
    this.#askedAt = page.now;
    for (const { campaign: { id }, version } of changed) {
      this.#sparklines.set(id, { version, timeline: this.#sparklines.get(id)?.timeline ?? null });
    }
    const ids = changed.map(({ campaign }) => campaignTopic(campaign.id));
    page.ask({ action: "listTimelines", ids }, (/** @type {CampaignTimeline} */ timeline) => {
      const known = this.#sparklines.get(timeline.id);
      if (known) this.#sparklines.set(timeline.id, { ...known, timeline });
      this.setState({});
    }).then(
      () => { if (unknown.length > SPARKLINES_AT_ONCE) this.#askedAt = -Infinity; },
      // Requested again later, for example after a reconnect.
      () => { for (const { campaign } of changed) this.#sparklines.delete(campaign.id); },
    );
  }

  /** @returns {Summary[]} */
  #rows() {
    const { page, topic } = this.props;
    const campaigns = topic?.shown?.type === "list" ? topic.shown.campaigns : new Map();
    const { found, older } = this.state;
    /** @param {Summary[]} some */
    const newest = (some) => some.map((one) => campaigns.get(one.campaign.id) ?? one);
    return ranked(found ? newest(found) : new Set([...campaigns.values(), ...newest(older)]), page.now);
  }

  /** The cursor of the campaigns that are not loaded yet; null if all are. */
  get #cursor() {
    const { topic } = this.props;
    const { cursor } = this.state;
    return cursor === undefined && topic?.shown?.type === "list" ? topic.shown.cursor : cursor ?? null;
  }

  #loadOlder = async () => {
    /** @type {Summary[]} */
    const older = [];
    const request = { action: "listCampaigns", limit: 100, cursor: this.#cursor };
    try {
      const cursor = await this.props.page.ask(request, (/** @type {Summary} */ one) => { older.push(one); });
      const { most } = this.state;
      this.setState({ older: [...this.state.older, ...older], cursor, most: most + PAGE, failed: false });
    } catch {
      this.setState({ failed: true }); // the button stays
    }
  };

  render() {
    const { page, topic } = this.props;
    const { most, query, found, searching, failure, failed } = this.state;
    const data = topic?.shown?.type === "list" ? topic.shown : null;
    if (data && data.campaigns.size === 0) return html`<${EmptyView} />`;
    const rows = this.#rows();
    const many = text(found?.length === 1 ? "list.found_one" : "list.found", { count: page.format.count(found?.length ?? 0) });
    return html`
      <div class="head">
        <${Heading}>${text("list.title")}<//>
        <p class="span" role="status">
          ${failure ?? (searching ? text("list.searching") : found ? many : "")}
        </p>
        <input type="search" class="search" aria-label=${text("list.search")} placeholder=${text("list.search_hint")}
          maxlength="200" value=${query}
          onInput=${(/** @type {any} */ event) => this.#type(event.target.value)} />
      </div>
      ${topic?.error && html`<${ServerErrorNotice} error=${topic.error} />`}
      ${!data && !topic?.error && html`<p class="none">${text("page.loading")}</p>`}
      ${data && found?.length === 0 && !searching && !failure && html`<p class="none">${text("list.none_found", { query: query.trim() })}</p>`}
      ${data && rows.length > 0 && html`
        <table class="campaigns" role="table">
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col">${text("list.campaign")}</th>
              <th role="columnheader" scope="col">${text("list.trend")}</th>
              <th role="columnheader" scope="col" class="number"><${Definition} of="count.sends">${text("label.sends")}<//></th>
              ${RATES.map(([rate]) => html`
                <th role="columnheader" scope="col" class="number"><${Definition} of=${`rate.${rate}`}>${text(`rate_label.${rate}`)}<//></th>`)}
            </tr>
          </thead>
          <tbody role="rowgroup">
            ${rows.slice(0, most).map((summary) => html`
              <${Row} key=${summary.campaign.id} summary=${summary} format=${page.format}
                live=${isActive(summary, page.now)}
                timeline=${this.#sparklines.get(summary.campaign.id)?.timeline ?? null} />`)}
          </tbody>
        </table>`}
      ${rows.length > most && html`
        <button type="button" onClick=${() => this.setState({ most: most + PAGE })}>
          ${text("list.more", { count: page.format.count(rows.length - most) })}
        </button>`}
      ${!found && rows.length <= most && this.#cursor !== null && html`
        <button type="button" onClick=${this.#loadOlder}>${text("list.older")}</button>`}
      ${failed && html`<p role="alert">${text("list.older_failed")}</p>`}`;
  }
}

/**
 * @typedef {{summary: Summary, format: import("../format.js").Format, live: boolean,
 *            timeline: CampaignTimeline | null}} RowProps
 * @extends {Component<RowProps>}
 */
class Row extends Component {
  /** @param {RowProps} next */
  shouldComponentUpdate(next) {
    const { summary, live, timeline, format } = this.props;
    return next.summary !== summary || next.live !== live || next.timeline !== timeline || next.format !== format;
  }

  render() {
    const { summary, format, live, timeline } = this.props;
    const { campaign, counts } = summary;
    return html`
      <tr role="row" data-campaign=${campaign.id}>
        <th role="rowheader" scope="row">
          <a href=${campaignHash(campaign.id)}><bdi>${campaign.title}</bdi></a>
          ${live && html`<span class="badge">${text("list.active")}</span>`}
          ${campaign.subject && html`<span class="subject"><bdi>${campaign.subject}</bdi></span>`}
          <span class="started">${format.dateTime(campaign.first_event_at)}</span>
        </th>
        <td role="cell" data-label=${text("list.trend")} class="sparkline">
          <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} width=${WIDTH} height=${HEIGHT} role="img"
            aria-label=${text("page.sparkline")}>
            ${timeline && html`<path class="human_opens" d=${bars(timeline, "human_opens")} />`}
          </svg>
        </td>
        <td role="cell" data-label=${text("label.sends")} class="number">
          <span class="rate"><${Count} name="sends" value=${counts.sends} format=${format} /></span>
        </td>
        ${RATES.map(([rate, counter, digits]) => {
          const { level } = rate === "bounce" || rate === "complaint" ? judgeCampaign(rate, counts) : { level: "ok" };
          return html`
            <td role="cell" data-label=${text(`rate_label.${rate}`)} class=${`number ${level}`}>
              <span class="rate">${format.percent(shownRate(rate, summary), digits)}</span>
              ${level !== "ok" && html`<span class="verdict">${text(`list.${level}`)}</span>`}
              <${Count} name=${counter} value=${counts[counter]} format=${format} />
            </td>`;
        })}
      </tr>`;
  }
}
