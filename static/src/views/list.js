/** All campaigns, newest first, each with its key numbers. */

import { Component } from "preact";
import { html } from "../html.js";
import { campaignHash } from "../route.js";
import { campaignsOf } from "../select.js";
import { Count } from "./count.js";
import { EmptyView } from "./empty.js";
import { Refusal } from "./notice.js";
import { REVIEW } from "./tiles.js";

const PAGE = 100;

/** A campaign whose last event is younger is happening now; in milliseconds. */
const RECENT = 120_000;

/**
 * @typedef {{page: import("./app.js").Page,
 *            topic: import("../state.js").TopicState | undefined}} Props
 * @extends {Component<Props, {most: number}>}
 */
export class ListView extends Component {
  state = { most: PAGE };

  render() {
    const { page, topic } = this.props;
    const { most } = this.state;
    const data = topic?.shown?.type === "list" ? topic.shown : null;
    if (data && data.campaigns.size === 0) return html`<${EmptyView} />`;
    const campaigns = data ? campaignsOf(data) : [];
    return html`
      <h1 tabindex="-1">Campaigns</h1>
      ${topic?.error && html`<${Refusal} error=${topic.error} />`}
      ${!data && !topic?.error && html`<p class="none">Loading…</p>`}
      ${data && html`
        <table class="campaigns" role="table">
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col">Campaign</th>
              ${["Sent", "Delivered", "Opened by people", "Clicked by people", "Bounced", "Complained"].map((label) => html`
                <th role="columnheader" scope="col" class="number">${label}</th>`)}
            </tr>
          </thead>
          <tbody role="rowgroup">
            ${campaigns.slice(0, most).map((summary) => html`
              <${Row} key=${summary.campaign.id} summary=${summary} format=${page.format}
                live=${page.now - (summary.campaign.lastEventAt ?? 0) < RECENT} />`)}
          </tbody>
        </table>`}
      ${campaigns.length > most && html`
        <button type="button" onClick=${() => this.setState({ most: most + PAGE })}>
          Show more (${page.format.count(campaigns.length - most)} left)
        </button>`}`;
  }
}

/**
 * @typedef {{summary: import("../protocol.js").Summary, format: import("../format.js").Format,
 *            live: boolean}} RowProps
 * @extends {Component<RowProps>}
 */
class Row extends Component {
  /** @param {RowProps} next */
  shouldComponentUpdate(next) {
    return next.summary !== this.props.summary || next.live !== this.props.live;
  }

  render() {
    const { summary: { campaign, counts, rates }, format, live } = this.props;
    /**
     * @param {string} label
     * @param {import("../protocol.js").Counter} counter
     * @param {number | null} rate
     * @param {number} [digits]
     * @param {number} [limit] at which the rate is worth a warning
     */
    const cell = (label, counter, rate, digits, limit = Infinity) => html`
      <td role="cell" data-label=${label} class=${`number ${(rate ?? 0) >= limit ? "warn" : ""}`}>
        <span class="rate">${format.percent(rate, digits)}</span>
        ${(rate ?? 0) >= limit && html`<span class="visually-hidden">high</span>`}
        <${Count} name=${counter} value=${counts[counter]} format=${format} />
      </td>`;
    return html`
      <tr role="row" data-campaign=${campaign.id}>
        <th role="rowheader" scope="row">
          <a href=${campaignHash(campaign.id)}>${campaign.title}</a>
          ${live && html`<span class="badge">active now</span>`}
          ${campaign.subject && html`<span class="subject">${campaign.subject}</span>`}
          <span class="started">${format.dateTime(campaign.firstEventAt)}</span>
        </th>
        <td role="cell" data-label="Sent" class="number">
          <span class="rate"><${Count} name="sends" value=${counts.sends} format=${format} /></span>
        </td>
        ${cell("Delivered", "deliveries", rates.delivery)}
        ${cell("Opened by people", "unique_human_opens", rates.human_open)}
        ${cell("Clicked by people", "unique_human_clicks", rates.human_click)}
        ${cell("Bounced", "hard_bounces", rates.bounce, 1, REVIEW.bounce)}
        ${cell("Complained", "complaints", rates.complaint, 2, REVIEW.complaint)}
      </tr>`;
  }
}
