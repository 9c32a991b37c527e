/** The links of a campaign, those with the most human clickers first. */

import { Component } from "preact";
import { download } from "../csv.js";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { activityHash } from "../leader.js";
import { OTHER } from "../links.js";
import { linksOf } from "../select.js";
import { OneStop } from "./one-stop.js";

const AT_FIRST = 10;
const COLUMNS = /** @type {const} */ (["unique_human_clicks", "human_clicks", "clicks"]);

/** @typedef {import("../protocol.js").Link} Link */

/**
 * @typedef {{id: string, data: import("../state.js").CampaignData | null,
 *            format: import("../format.js").Format, whole: boolean}} Props `data`: null while it is loading; `whole`: all links
 * @extends {Component<Props, {all: boolean}>}
 */
export class LinksView extends Component {
  state = { all: false };

  render() {
    const { id, data, format, whole } = this.props;
    const all = this.state.all || whole;
    const links = data ? linksOf(data) : [];
    const counts = data?.summary?.counts;
    const ranked = links.filter(({ kind, id: link }) => kind !== "unsubscribe" && link !== OTHER);
    const apart = links.filter(({ kind }) => kind === "unsubscribe");
    const other = links.filter(({ id: link }) => link === OTHER);
    const most = Math.max(1, ...ranked.map((link) => unique(link) ?? 0));
    const shown = all ? ranked : ranked.slice(0, AT_FIRST);
    /** @param {Link} link */
    const rate = (link) => {
      const clicks = unique(link);
      return clicks !== null && counts?.deliveries && clicks <= counts.deliveries ? clicks / counts.deliveries : null;
    };
    /** @param {Link} link */
    const row = (link) => html`
      <tr role="row" key=${link.id}>
        <th role="rowheader" scope="row">
          ${link.label && html`<span class="label">${link.label}</span>`}
          <span class=${link.label ? "url subject" : "url"} dir="ltr" title=${link.url}>${link.id === OTHER ? text("links.other") : bare(link.url)}</span>
          ${link.kind !== "unsubscribe" && link.id !== OTHER && html`
            <span class="share" aria-hidden="true"><span style=${{ width: `${((unique(link) ?? 0) / most) * 100}%` }}></span></span>`}
        </th>
        ${COLUMNS.map((counter) => html`
          <td role="gridcell" data-label=${text(`links.${counter}`)} class="number">
            ${counter !== "unique_human_clicks" || link.id === OTHER ? format.count(link[counter])
              : html`<a class="count-link" href=${activityHash(id, counter, { link: link.id })}>${format.count(unique(link))}</a>`}
            ${counter === "unique_human_clicks" && link.id !== OTHER && html`<span class="of">${format.percent(rate(link))}</span>`}
          </td>`)}
      </tr>`;
    return html`
      <section class="panel" aria-labelledby="links">
        <div class="panel-head">
          <h2 id="links">${text("links.title")}</h2>
          ${links.length > 0 && html`<button type="button" onClick=${() => download(`${id} links`, [
            ["link", "label", "kind", "unique_human_clicks", "human_click_rate", "human_clicks", "unique_clicks", "clicks"],
            ...links.map((link) => [
              link.url, link.label, link.kind, unique(link), rate(link), link.human_clicks, link.unique_clicks, link.clicks,
            ]),
          ])}>${text("page.download")}</button>`}
        </div>
        ${links.length === 0 && html`<p class="none">${text(data ? "links.none" : "page.loading")}</p>`}
        ${links.length > 0 && html`
          <${OneStop} class="links" role="grid" aria-labelledby="links">
            <thead role="rowgroup">
              <tr role="row">
                <th role="columnheader" scope="col">${text("links.link")}</th>
                ${COLUMNS.map((counter) => html`
                  <th role="columnheader" scope="col" class="number" title=${text(`count.${counter}`)}>${text(`links.${counter}`)}</th>`)}
              </tr>
            </thead>
            <tbody role="rowgroup">
              ${shown.map(row)}
              ${other.map(row)}
              ${apart.length > 0 && html`
                <tr role="row" class="group" key="unsubscribe"><th role="rowheader" scope="rowgroup" colspan="4">${text("links.unsubscribe")}</th></tr>`}
              ${apart.map(row)}
            </tbody>
          <//>`}
        ${ranked.length > AT_FIRST && !whole && html`
          <button type="button" aria-expanded=${all} onClick=${() => this.setState({ all: !all })}>
            ${all ? text("links.first", { count: AT_FIRST }) : text("links.all", { count: format.count(ranked.length) })}
          </button>`}
      </section>`;
  }
}

/** Earlier releases did not count human clickers of a link. @param {Link} link */
const unique = ({ unique_human_clicks: count, human_clicks: clicks }) => (count === 0 && clicks > 0 ? null : count);

/** @param {string} url @returns the URL without its scheme and "www." */
const bare = (url) => url.replace(/^https?:\/\/(www\.)?/, "");
