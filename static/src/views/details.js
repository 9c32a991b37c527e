/** What stands below the charts of a campaign: its links, its bounces, and what happens just now. */

import { html } from "../html.js";
import { standsAlone } from "../lead.js";
import { BouncesView } from "./bounces.js";
import { LatestView } from "./latest.js";
import { LinksView } from "./links.js";

/** @param {import("./app.js").CampaignProps} props */
export function DetailsView({ id, page, data }) {
  const { format } = page;
  return html`
    <div class="columns">
      <${LinksView} id=${id} data=${data} format=${format} />
      <${BouncesView} id=${id} data=${data} format=${format} />
    </div>
    ${!standsAlone() && html`<${LatestView} id=${id} page=${page} version=${data?.summary?.version ?? 0} />`}`;
}
