/** The links of a campaign, the most clicked first. */

import { Component } from "preact";
import { download } from "../csv.js";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { activityHash } from "../leader.js";
import { OTHER, linksOf } from "../select.js";
import { Definition } from "./definition.js";

const AT_FIRST = 10;
const COLUMNS = /** @type {const} */ (["clicks", "unique_clicks", "human_clicks"]);

/**
 * @typedef {{id: string, data: import("../state.js").CampaignData | null,
 *            format: import("../format.js").Format}} Props `data`: null while it is loading
 * @extends {Component<Props, {all: boolean}>}
 */
export class LinksView extends Component {
  state = { all: false };

  render() {
    const { id, data, format } = this.props;
    const { all } = this.state;
    const links = data ? linksOf(data) : [];
    const most = Math.max(1, ...links.map((link) => link.clicks));
    const shown = all ? links : links.slice(0, AT_FIRST);
    return html`
      <section class="panel" aria-labelledby="links">
        <div class="panel-head">
          <h2 id="links">${text("links.title")}</h2>
          ${links.length > 0 && html`<button type="button" onClick=${() => download(`${id} links`, [
            ["link", "clicks", "unique_clicks", "human_clicks"],
            ...links.map((link) => [link.url, link.clicks, link.unique_clicks, link.human_clicks]),
          ])}>${text("page.download")}</button>`}
        </div>
        ${links.length === 0 && html`<p class="none">${text(data ? "links.none" : "page.loading")}</p>`}
        ${links.length > 0 && html`
          <table class="links" role="table">
            <thead role="rowgroup">
              <tr role="row">
                <th role="columnheader" scope="col">${text("links.link")}</th>
                ${COLUMNS.map((counter) => html`
                  <th role="columnheader" scope="col" class="number"><${Definition} of=${`count.${counter}`}>${text(`links.${counter}`)}<//></th>`)}
              </tr>
            </thead>
            <tbody role="rowgroup">
              ${shown.map((link) => html`
                <tr role="row" key=${link.url}>
                  <th role="rowheader" scope="row">
                    <span class="url" dir="ltr" title=${link.url}>${link.url === OTHER ? text("links.other") : bare(link.url)}</span>
                    <span class="share" aria-hidden="true">
                      <span style=${{ width: `${(link.clicks / most) * 100}%` }}></span>
                    </span>
                  </th>
                  ${COLUMNS.map((counter) => html`
                    <td role="cell" data-label=${text(`links.${counter}`)} class="number">
                      <a class="count-link" href=${activityHash(id, counter, { link: link.url })}>${format.count(link[counter])}</a>
                    </td>`)}
                </tr>`)}
            </tbody>
          </table>`}
        ${links.length > AT_FIRST && html`
          <button type="button" aria-expanded=${all} onClick=${() => this.setState({ all: !all })}>
            ${all ? text("links.first", { count: AT_FIRST }) : text("links.all", { count: format.count(links.length) })}
          </button>`}
      </section>`;
  }
}

/** @param {string} url @returns the URL without its scheme and "www." */
const bare = (url) => url.replace(/^https?:\/\/(www\.)?/, "");
