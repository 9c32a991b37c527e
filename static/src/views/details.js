/** The part below a campaign's charts: variants, links, bounces, live activity, mailbox providers, and alarms. */

import { html } from "../html.js";
import { standsAlone } from "../leader.js";
import { BouncesView } from "./bounces.js";
import { LatestView } from "./latest.js";
import { lazy } from "./lazy.js";
import { LinksView } from "./links.js";

const AlarmsView = lazy(() => import("./alarms.js").then((module) => module.AlarmsView));
const ProvidersView = lazy(() => import("./providers.js").then((module) => module.ProvidersView));
const VariantsView = lazy(() => import("./variants.js").then((module) => module.VariantsView));

/** @param {import("./app.js").CampaignProps & {Snooze: typeof import("./incidents.js").Snooze}} props */
export function DetailsView({ id, page, page: { format, now }, data, Snooze }) {
  return html`
    ${data && data.variants.size > 0 && html`<div class="of-variants"><${VariantsView} ...${{ id, page, data }} /></div>`}
    <div class="columns">
      <${LinksView} id=${id} data=${data} format=${format} />
      <${BouncesView} id=${id} data=${data} format=${format} />
    </div>
    ${!standsAlone() && html`<${LatestView} id=${id} data=${data} format=${format} />`}
    ${data && data.providers.size > 0 && html`<${ProvidersView} data=${data} now=${now} format=${format} />`}
    ${data && (data.incidents.size > 0 || data.alarms?.may_change) && html`<${AlarmsView} ...${{ id, page, data, Snooze }} />`}`;
}
