/** What was clicked, the most clicked first. */

import { Component } from "preact";
import { html } from "../html.js";
import { OTHER, linksOf } from "../select.js";

const AT_FIRST = 10;

/**
 * @typedef {{data: import("../state.js").CampaignData | null,
 *            format: import("../format.js").Format}} Props `data`: null while nothing is known
 * @extends {Component<Props, {all: boolean}>}
 */
export class LinksView extends Component {
  state = { all: false };

  render() {
    const { data, format } = this.props;
    const { all } = this.state;
    const links = data ? linksOf(data) : [];
    const most = Math.max(1, ...links.map((link) => link.clicks));
    const shown = all ? links : links.slice(0, AT_FIRST);
    return html`
      <section class="panel" aria-labelledby="links">
        <h2 id="links">Links</h2>
        ${links.length === 0 && html`<p class="none">${data ? "No link was clicked yet." : "Loading…"}</p>`}
        ${links.length > 0 && html`
          <table class="links" role="table">
            <thead role="rowgroup">
              <tr role="row">
                <th role="columnheader" scope="col">Link</th>
                <th role="columnheader" scope="col" class="number">Clicks</th>
                <th role="columnheader" scope="col" class="number">Unique</th>
                <th role="columnheader" scope="col" class="number">By people</th>
              </tr>
            </thead>
            <tbody role="rowgroup">
              ${shown.map((link) => html`
                <tr role="row" key=${link.url}>
                  <th role="rowheader" scope="row">
                    <span class="url" title=${link.url}>${link.url === OTHER ? "All other links" : bare(link.url)}</span>
                    <span class="share" aria-hidden="true">
                      <span style=${{ width: `${(link.clicks / most) * 100}%` }}></span>
                    </span>
                  </th>
                  <td role="cell" data-label="Clicks" class="number">${format.count(link.clicks)}</td>
                  <td role="cell" data-label="Unique" class="number">${format.count(link.unique_clicks)}</td>
                  <td role="cell" data-label="By people" class="number">${format.count(link.human_clicks)}</td>
                </tr>`)}
            </tbody>
          </table>`}
        ${links.length > AT_FIRST && html`
          <button type="button" aria-expanded=${all} onClick=${() => this.setState({ all: !all })}>
            ${all ? `Show the first ${AT_FIRST}` : `Show all ${format.count(links.length)}`}
          </button>`}
      </section>`;
  }
}

/** @param {string} url without what every link begins with */
const bare = (url) => url.replace(/^https?:\/\/(www\.)?/, "");
