/** The part below a campaign's charts: links, problems, humans and bots, devices, variants, mailbox providers, activity, and alarms. */

import { html } from "../html.js";
import { standsAlone } from "../leader.js";
import { UNSETTLED, lately } from "../select.js";
import { HumansAndBotsView } from "./humans-and-bots.js";
import { lazy } from "./lazy.js";
import { LinksView } from "./links.js";
import { ProblemsView } from "./problems.js";

const AlarmsView = lazy(() => import("./alarms.js").then((module) => module.AlarmsView));
const DevicesView = lazy(() => import("./devices.js").then((module) => module.DevicesView));
const LatestView = lazy(() => import("./latest.js").then((module) => module.LatestView));
const ProvidersView = lazy(() => import("./providers.js").then((module) => module.ProvidersView));
const TermsView = lazy(() => import("./terms.js").then((module) => module.TermsView));
const VariantsView = lazy(() => import("./variants.js").then((module) => module.VariantsView));

/** @param {import("./app.js").CampaignProps & {report: boolean, Snooze: typeof import("./incidents.js").Snooze}} props */
export function DetailsView({ id, page, page: { format, now }, data, summary, report, Snooze }) {
  return html`
    <div class="columns">
      <${LinksView} ...${{ id, data, format }} whole=${report} />
      <${ProblemsView} ...${{ id, summary, data, format }} />
    </div>
    <div class="columns">
      <${HumansAndBotsView} id=${id} summary=${summary} moved=${data?.moved}
        unsettled=${data && lately(data, now, UNSETTLED)} format=${format} />
      ${data?.devices && data.devices.classes.length > 0 && html`<${DevicesView} data=${data} format=${format} />`}
    </div>
    ${data && data.variants.size > 0 && html`<div class="of-variants"><${VariantsView} ...${{ id, page, data, report }} /></div>`}
    ${data && data.providers.size > 0 && html`<${ProvidersView} data=${data} now=${now} format=${format} />`}
    ${!report && !standsAlone() && html`<${LatestView} id=${id} data=${data} format=${format} />`}
    ${data && (data.incidents.size > 0 || (!report && data.alarms?.may_change)) && html`<${AlarmsView} ...${{ id, page, data, Snooze }} />`}
    ${report && html`<${TermsView} />`}`;
}
