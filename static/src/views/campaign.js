/** One campaign: running incidents, key numbers, timeline, and details; live, or as a report to print. */

import { html } from "../html.js";
import { compareHash, recipientsHash, reportHash, wallHash } from "../leader.js";
import { campaignHash } from "../route.js";
import { lately } from "../select.js";
import { text } from "../glossary.js";
import { Announcer } from "./announcer.js";
import { CampaignFacts } from "./campaign-facts.js";
import { Heading } from "./heading.js";
import { IncidentsView, Snooze } from "./incidents.js";
import { lazy } from "./lazy.js";
import { Notice, ServerErrorNotice } from "./notice.js";
import { Tiles } from "./tiles.js";
import { TimelineView } from "./timeline.js";
import { Verdict } from "./verdict.js";

const ShareView = lazy(() => import("./share.js").then((module) => module.ShareView));
const DetailsView = lazy(() => import("./details.js").then((module) => module.DetailsView));

/**
 * @param {import("./app.js").CampaignProps & {query: string, report: boolean, untracked: boolean | undefined,
 *         unsent: boolean | undefined}} props `query`: of the URL; `report`: all in full, without controls;
 *   `untracked`: many deliveries but no opens; `unsent`: many deliveries but no sends
 */
export function CampaignView({ id, page, topic, data, summary, query, report, untracked, unsent }) {
  const { format, now } = page;
  const campaign = summary?.campaign;
  const title = html`<bdi>${campaign?.title ?? id}</bdi>`;
  const isLoading = !topic?.error && page.status.state !== "ended";
  const refusal = topic?.error && html`<${ServerErrorNotice} error=${topic.error} />`;
  return html`
    <div class=${report ? "report" : ""}>
      <a class="back" href=${report ? campaignHash(id) : "#/"}>← ${report ? title : text("page.all_campaigns")}</a>
      <div class="head">
        <${Heading}>${title}<//>
        <p class="actions">
          ${report ? html`<button type="button" disabled=${!data} onClick=${printWhole}>${text("report.print")}</button>` : html`
            <a class="button" href=${compareHash([id])}>${text("campaign.compare")}</a>
            <a class="button" href=${recipientsHash(id)}>${text("recipients.title")}</a>
            <a class="button" href=${reportHash(id)}>${text("view.report")}</a>
            ${wallHash(id) && html`<${ShareView} ...${{ id, page, data }} />`}
            <a class="button" href=${wallHash(id)}>${text("campaign.wall")}</a>`}
        </p>
      </div>
      <${CampaignFacts} ...${{ id, campaign, now, format }} loading=${!campaign && isLoading} />
      ${report && page.status.lastMessageAt !== null && html`
        <p class="said">${text("page.printed", { time: format.moment(page.status.lastMessageAt), zone: format.zone })}</p>`}
      ${refusal || html`<${Verdict} ...${{ summary, data, format }} />`}
      <${IncidentsView} ...${{ id, data, page }} />
      ${untracked && html`<${Notice}>${text("page.untracked")}<//>`}
      ${unsent && html`<${Notice}>${text("page.unsent")}<//>`}
      ${campaign?.recount_needed && html`
        <p class="notice">${text("campaign.recount")}${wallHash(id) && html` ${text("campaign.recount_how")} <code>${text("campaign.recount_command", { id })}</code>`}</p>`}
      ${!summary && !data && isLoading && html`<div class="placeholder"></div>`}
      ${(summary || data) && html`
        <${Tiles} ...${{ id, summary, data, format, now }} lately=${data ? lately(data, now) : null} />
        <${TimelineView} ...${{ id, data, page, format, query }} />
        <${DetailsView} ...${{ id, page, topic, data, summary, report, Snooze }} />
        ${!report && html`<${Announcer} summary=${summary} format=${format} />`}`}
    </div>`;
}

/** Print once all parts of the report are loaded. */
async function printWhole() {
  while (document.querySelector(".report :is(.placeholder, [aria-busy=true])")) await new Promise((resolve) => { setTimeout(resolve, 50); });
  print();
}
