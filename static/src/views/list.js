/** All campaigns, the newest activity first, each with its key numbers; search as one types. */

import { Component } from "preact";
import { html } from "../html.js";
import { HEIGHT, WIDTH, bars } from "../outline.js";
import { campaignTopic } from "../protocol.js";
import { campaignHash } from "../route.js";
import { REVIEW, isActive, ranked } from "../ranking.js";
import { Count } from "./count.js";
import { EmptyView } from "./empty.js";
import { Heading } from "./heading.js";
import { Refusal } from "./notice.js";
import { Term } from "./term.js";

/** @typedef {import("../protocol.js").Summary} Summary */
/** @typedef {import("../protocol.js").CampaignTimeline} CampaignTimeline */

const PAGE = 50;
const OUTLINES_AT_ONCE = 25;
const OUTLINES_EVERY = 10_000;

/** Rates beside how many were sent: label, rate, counter, digits, and from where on it is marked. */
const RATES = /** @type {const} */ ([
  ["Delivered", "delivery", "deliveries", 1, Infinity],
  ["Opened by people", "human_open", "unique_human_opens", 1, Infinity],
  ["Clicked by people", "human_click", "unique_human_clicks", 1, Infinity],
  ["Bounced", "bounce", "hard_bounces", 1, REVIEW.bounce],
  ["Complained", "complaint", "complaints", 2, REVIEW.complaint],
]);

/**
 * @typedef {{page: import("./app.js").Page,
 *            topic: import("../state.js").TopicState | undefined}} Props
 * @typedef {{most: number, query: string} & import("../search.js").Results} State
 * @extends {Component<Props, State>}
 */
export class ListView extends Component {
  /** @type {State} */
  state = { most: PAGE, query: "", found: null, searching: false, failure: null };
  /** @type {Map<string, {version: number, timeline: CampaignTimeline | null}>} */
  #outlines = new Map();
  #askedAt = -Infinity;
  /** @type {Promise<import("../search.js").Search> | undefined} */
  #search;

  componentDidUpdate() {
    this.#outline();
  }

  componentDidMount() {
    this.#outline();
  }

  /** Its code comes with the first letter. @param {string} query */
  async #type(query) {
    this.setState({ query });
    this.#search ??= import("../search.js").then(({ Search }) => new Search(
      (request, onResult) => this.props.page.ask(request, onResult),
      (results) => this.setState(results),
    ));
    (await this.#search).type(query);
  }

  /** Ask for the outlines of the campaigns that are shown and have changed, some at a time. */
  #outline() {
    const { page } = this.props;
    if (page.status.state !== "live" || page.now - this.#askedAt < OUTLINES_EVERY) return;
    const rows = this.#rows().slice(0, this.state.most);
    const unknown = rows.filter(({ campaign: { id } }) => !this.#outlines.has(id));
    const changed = (unknown.length ? unknown
      : rows.filter(({ campaign: { id }, version }) => this.#outlines.get(id)?.version !== version)
    ).slice(0, OUTLINES_AT_ONCE);
    if (!changed.length) return;
    this.#askedAt = page.now;
    for (const { campaign: { id }, version } of changed) {
      this.#outlines.set(id, { version, timeline: this.#outlines.get(id)?.timeline ?? null });
    }
    const ids = changed.map(({ campaign }) => campaignTopic(campaign.id));
    page.ask({ action: "listTimelines", ids }, (/** @type {CampaignTimeline} */ timeline) => {
      const known = this.#outlines.get(timeline.id);
      if (known) this.#outlines.set(timeline.id, { ...known, timeline });
      this.setState({});
    }).then(
      () => { if (unknown.length > OUTLINES_AT_ONCE) this.#askedAt = -Infinity; },
      // Lost with the connection, say: asked again after a while.
      () => { for (const { campaign } of changed) this.#outlines.delete(campaign.id); },
    );
  }

  /** @returns {Summary[]} */
  #rows() {
    const { page, topic } = this.props;
    const campaigns = topic?.shown?.type === "list" ? topic.shown.campaigns : new Map();
    const { found } = this.state;
    return ranked(found ? found.map((one) => campaigns.get(one.campaign.id) ?? one) : campaigns.values(), page.now);
  }

  render() {
    const { page, topic } = this.props;
    const { most, query, found, searching, failure } = this.state;
    const data = topic?.shown?.type === "list" ? topic.shown : null;
    if (data && data.campaigns.size === 0) return html`<${EmptyView} />`;
    const rows = this.#rows();
    const many = found?.length === 1 ? "1 campaign" : `${page.format.count(found?.length ?? 0)} campaigns`;
    return html`
      <div class="head">
        <${Heading}>Campaigns<//>
        <p class="span" role="status">
          ${failure ?? (searching ? "Searching…" : found ? `${many} found` : "")}
        </p>
        <input type="search" class="search" aria-label="Search campaigns" placeholder="Search name or subject ( / )"
          maxlength="200" value=${query}
          onInput=${(/** @type {any} */ event) => this.#type(event.target.value)} />
      </div>
      ${topic?.error && html`<${Refusal} error=${topic.error} />`}
      ${!data && !topic?.error && html`<p class="none">Loading…</p>`}
      ${data && found?.length === 0 && !searching && !failure && html`<p class="none">No campaign’s name or subject has “${query.trim()}” in it.</p>`}
      ${data && rows.length > 0 && html`
        <table class="campaigns" role="table">
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col">Campaign</th>
              <th role="columnheader" scope="col">Over time</th>
              <th role="columnheader" scope="col" class="number"><${Term} of="count.sends">Sent<//></th>
              ${RATES.map(([label, rate]) => html`
                <th role="columnheader" scope="col" class="number"><${Term} of=${`rate.${rate}`}>${label}<//></th>`)}
            </tr>
          </thead>
          <tbody role="rowgroup">
            ${rows.slice(0, most).map((summary) => html`
              <${Row} key=${summary.campaign.id} summary=${summary} format=${page.format}
                live=${isActive(summary, page.now)}
                outline=${this.#outlines.get(summary.campaign.id)?.timeline ?? null} />`)}
          </tbody>
        </table>`}
      ${rows.length > most && html`
        <button type="button" onClick=${() => this.setState({ most: most + PAGE })}>
          Show more (${page.format.count(rows.length - most)} left)
        </button>`}`;
  }
}

/**
 * @typedef {{summary: Summary, format: import("../format.js").Format, live: boolean,
 *            outline: CampaignTimeline | null}} RowProps
 * @extends {Component<RowProps>}
 */
class Row extends Component {
  /** @param {RowProps} next */
  shouldComponentUpdate(next) {
    const { summary, live, outline } = this.props;
    return next.summary !== summary || next.live !== live || next.outline !== outline;
  }

  render() {
    const { summary: { campaign, counts, rates }, format, live, outline } = this.props;
    return html`
      <tr role="row" data-campaign=${campaign.id}>
        <th role="rowheader" scope="row">
          <a href=${campaignHash(campaign.id)}><bdi>${campaign.title}</bdi></a>
          ${live && html`<span class="badge">active now</span>`}
          ${campaign.subject && html`<span class="subject"><bdi>${campaign.subject}</bdi></span>`}
          <span class="started">${format.dateTime(campaign.first_event_at)}</span>
        </th>
        <td role="cell" data-label="Over time" class="outline">
          <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} width=${WIDTH} height=${HEIGHT} role="img"
            aria-label="Deliveries, and opens by people, over time">
            ${outline && html`
              <path class="deliveries" d=${bars(outline, "deliveries")} />
              <path class="human_opens" d=${bars(outline, "human_opens")} />`}
          </svg>
        </td>
        <td role="cell" data-label="Sent" class="number">
          <span class="rate"><${Count} name="sends" value=${counts.sends} format=${format} /></span>
        </td>
        ${RATES.map(([label, rate, counter, digits, limit]) => {
          const high = (rates[rate] ?? 0) >= limit;
          return html`
            <td role="cell" data-label=${label} class=${`number ${high ? "warn" : ""}`}>
              <span class="rate">${format.percent(rates[rate], digits)}</span>
              ${high && html`<span class="visually-hidden">high</span>`}
              <${Count} name=${counter} value=${counts[counter]} format=${format} />
            </td>`;
        })}
      </tr>`;
  }
}
