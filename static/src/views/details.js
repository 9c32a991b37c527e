/** The part below a campaign's charts: links, bounces, and live activity. */

import { html } from "../html.js";
import { standsAlone } from "../leader.js";
import { BouncesView } from "./bounces.js";
import { LatestView } from "./latest.js";
import { LinksView } from "./links.js";

/** @param {import("./app.js").CampaignProps} props */
export function DetailsView({ id, page: { format }, data }) {
  return html`
    <div class="columns">
      <${LinksView} id=${id} data=${data} format=${format} />
      <${BouncesView} id=${id} data=${data} format=${format} />
    </div>
    ${!standsAlone() && html`<${LatestView} id=${id} data=${data} format=${format} />`}`;
}
