/** One campaign: key numbers, funnel, humans and bots, timeline, and details. */

import { age } from "../format.js";
import { html } from "../html.js";
import { compareHash, wallHash } from "../leader.js";
import { UNSETTLED, lately } from "../select.js";
import { text } from "../glossary.js";
import { Announcer } from "./announcer.js";
import { FunnelView } from "./funnel.js";
import { Heading } from "./heading.js";
import { IncidentsView, Snooze } from "./incidents.js";
import { lazy } from "./lazy.js";
import { Notice, ServerErrorNotice } from "./notice.js";
import { PaceView } from "./pace.js";
import { HumansAndBotsView } from "./humans-and-bots.js";
import { Tiles } from "./tiles.js";
import { TimelineView } from "./timeline.js";

const DetailsView = lazy(() => import("./details.js").then((module) => module.DetailsView));

/**
 * @param {import("./app.js").CampaignProps & {query: string, untracked: boolean | undefined, unsent: boolean | undefined}} props
 *   `query`: of the URL; `untracked`: many deliveries but no opens; `unsent`: many deliveries but no sends
 */
export function CampaignView({ id, page, topic, data, summary, query, untracked, unsent }) {
  const { format, now } = page;
  const campaign = summary?.campaign;
  const refusal = topic?.error && html`<${ServerErrorNotice} error=${topic.error} />`;
  return html`
    <a class="back" href="#/">← ${text("page.all_campaigns")}</a>
    <div class="head">
      <${Heading}><bdi>${campaign?.title ?? id}</bdi><//>
      <p class="actions">
        <a class="button" href=${wallHash(id)}>${text("campaign.wall")}</a>
        <a class="button" href=${compareHash([id])}>${text("campaign.compare")}</a>
      </p>
    </div>
    ${(!campaign || campaign.subject) && html`<p class="subject"><bdi>${campaign?.subject ?? "\u00a0"}</bdi></p>`}
    <p class="facts">
      ${campaign && campaign.first_event_at === null && html`
        <strong>${text("campaign.waiting")}</strong> ${text("campaign.waiting_hint", { id })}`}
      ${campaign?.sender && html`<span>${text("campaign.from")} <bdi>${campaign.sender}</bdi></span>`}
      ${campaign && campaign.first_event_at !== null && html`
        <span>${text("campaign.started", { time: format.dateTime(campaign.first_event_at) })}</span>`}
      ${campaign && campaign.last_event_at !== null && html`
        <span>${text("campaign.last_event", { ago: age(now - campaign.last_event_at) })}</span>`}
      ${!campaign && !refusal && html`<span>${text("page.loading")}</span>`}
    </p>
    ${refusal}
    <${IncidentsView} id=${id} data=${data} page=${page} />
    ${untracked && html`<${Notice}>${text("page.untracked")}<//>`}
    ${unsent && html`<${Notice}>${text("page.unsent")}<//>`}
    ${campaign?.recount_needed && html`
      <p class="notice">${text("campaign.recount")} ${text("campaign.recount_how")} <code>${text("campaign.recount_command", { id })}</code></p>`}
    ${(summary || !refusal) && html`
      <${Tiles} id=${id} summary=${summary} data=${data} format=${format} lately=${data ? lately(data, now) : null} />
      <${PaceView} pace=${data?.pace ?? null} loading=${!data} deliveries=${summary?.counts.deliveries} format=${format} />
      <div class="columns">
        <${FunnelView} summary=${summary} format=${format} />
        <${HumansAndBotsView} id=${id} summary=${summary} moved=${data?.moved}
          unsettled=${data && lately(data, now, UNSETTLED)} format=${format} />
      </div>
      <${TimelineView} ...${{ id, data, page, format, query }} />
      <${DetailsView} ...${{ id, page, topic, data, summary, Snooze }} />
      <${Announcer} summary=${summary} format=${format} />`}`;
}
