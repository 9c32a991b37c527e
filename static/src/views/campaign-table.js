/** The table of campaigns. Below 600 px, each row is a card. */

import { Component } from "preact";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { COLUMNS } from "../list-query.js";
import { shownRate } from "../rates.js";
import { judgeCampaign } from "../reputation.js";
import { campaignHash } from "../route.js";
import { HEIGHT, WIDTH, bars } from "../sparkline.js";
import { isActive } from "../ranking.js";
import { Count } from "./count.js";

/**
 * @typedef {import("../protocol.js").Summary} Summary
 * @typedef {import("../list-query.js").Query} Query
 * @typedef {import("../format.js").Format} Format
 */

/**
 * @param {{rows: Summary[], query: Query, busy: boolean, now: number, format: Format,
 *          sparklines: import("../sparklines.js").Sparklines, onSort: (sort: string) => void}} props
 *   `busy`: whether other rows are loading, which will replace these
 */
export function CampaignTable({ rows, query, busy, now, format, sparklines, onSort }) {
  const sorting = { query, onSort };
  return html`
    <table class="campaigns" role="table" aria-busy=${busy}>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">${text("list.campaign")}</th>
          <${Header} ...${sorting} label=${text("list.started")} sorts=${["first_event_at"]} place="at" />
          <th role="columnheader" scope="col" class="sparkline">${text("list.trend")}</th>
          ${COLUMNS.map(([rate, counter]) => html`
            <${Header} key=${counter} ...${sorting} label=${text(rate ? `rate_label.${rate}` : `label.${counter}`)}
              of=${rate ? `rate.${rate}` : `count.${counter}`} sorts=${rate ? [rate, counter] : [counter]} place=${`number ${counter}`} />`)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map((summary) => html`
          <${Row} key=${summary.campaign.id} summary=${summary} format=${format} live=${isActive(summary, now)}
            timeline=${sparklines.of(summary.campaign.id)} />`)}
      </tbody>
    </table>`;
}

/**
 * A button that sorts, with the definition of the number on hover and focus. A press hides the definition,
 * so that it does not cover the rows that it has sorted.
 * @extends {Component<{label: string | undefined, of?: string, sorts: string[], place: string, query: Query,
 *   onSort: (sort: string) => void}, {pressed: boolean}>}
 */
class Header extends Component {
  state = { pressed: false };

  render() {
    const { label, of, sorts, place, query: { sort, order }, onSort } = this.props;
    const isSorted = sorts.includes(sort);
    const id = of && `definition-of-${of}`.replace(".", "-");
    const reset = () => this.setState({ pressed: false });
    return html`
      <th role="columnheader" scope="col" class=${place} aria-sort=${isSorted ? `${order}ending` : undefined}>
        <span class=${`definition ${this.state.pressed ? "pressed" : ""}`} onPointerLeave=${reset} onFocusOut=${reset}>
          <button type="button" class="sort" aria-describedby=${id} onClick=${() => {
            this.setState({ pressed: true });
            onSort(isSorted ? sort : String(sorts[0]));
          }}>
            ${label}<i aria-hidden="true">${"\u00a0"}${isSorted ? (order === "asc" ? "▲" : "▼") : "▽"}</i>
          </button>
          ${of && html`<span role="tooltip" id=${id}>${text(of)}</span>`}
        </span>
      </th>`;
  }
}

/**
 * @typedef {{summary: Summary, format: Format, live: boolean,
 *            timeline: import("../protocol.js").CampaignTimeline | null}} RowProps
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
    const { campaign } = summary;
    const at = campaign.first_event_at;
    return html`
      <tr role="row" data-campaign=${campaign.id}>
        <th role="rowheader" scope="row">
          <a href=${campaignHash(campaign.id)} title=${campaign.title} dir="auto">${campaign.title}</a>
          ${campaign.test && html`<span class="badge test">${text("list.test")}</span>`}
          ${live && html`<span class="badge">${text("list.active")}</span>`}
          ${campaign.subject && html`<span class="subject" title=${campaign.subject} dir="auto">${campaign.subject}</span>`}
          <span class="started">${format.dateTime(at)}</span>
        </th>
        <td role="cell" class="at"><span>${format.date(at)}</span> ${format.clock(at)}</td>
        <td role="cell" class="sparkline">
          <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} width=${WIDTH} height=${HEIGHT} role="img"
            aria-label=${text("page.sparkline")}>
            ${timeline && html`<path class="human_opens" d=${bars(timeline, "human_opens")} />`}
          </svg>
        </td>
        ${COLUMNS.map((column) => html`<${Cell} key=${column[1]} column=${column} summary=${summary} format=${format} />`)}
      </tr>`;
  }
}

/** @param {{column: typeof COLUMNS[number], summary: Summary, format: Format}} props */
function Cell({ column: [rate, counter, digits], summary, format }) {
  if (counter === "pace") return html`<${PaceCell} pace=${summary.pace} format=${format} />`;
  const { counts } = summary;
  const count = html`<${Count} name=${counter} value=${counts[counter]} format=${format} />`;
  if (!rate) {
    return html`<td role="cell" data-label=${text(`label.${counter}`)} class=${`number ${counter}`}><span class="rate">${count}</span></td>`;
  }
  const { level } = rate === "bounce" || rate === "complaint" ? judgeCampaign(rate, counts) : { level: "ok" };
  return html`
    <td role="cell" data-label=${text(`rate_label.${rate}`)} class=${`number ${counter} ${level}`}>
      <span class="rate">${format.percent(shownRate(rate, summary), digits)}</span>
      ${level !== "ok" && html`<span class="verdict">${text(`list.${level}`)}</span>`}
      ${count}
    </td>`;
}

/** The ratio to what is usual, as of when it was computed. @param {{pace: Summary["pace"], format: Format}} props */
function PaceCell({ pace, format }) {
  const now = pace?.human_opens ?? pace?.human_clicks;
  const level = !now ? "none" : now.actual > now.high ? "above" : now.actual < now.low ? "below" : "usual";
  const ratio = now && format.ratio(now.actual / now.expected);
  const words = text(`list.pace_is_${level}`, { ratio });
  return html`
    <td role="cell" data-label=${text("label.pace")} class=${`number pace ${level}`} title=${words}>
      <span class="rate" aria-hidden="true">${text(`list.pace_${level}`, { ratio })}</span>
      <span class="visually-hidden">${words}</span>
    </td>`;
}
