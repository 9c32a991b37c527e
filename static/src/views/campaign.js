/** One campaign: its key numbers, what became of its mails, when, and who did what. */

import { age } from "../format.js";
import { html } from "../html.js";
import { wallHash } from "../lead.js";
import { lately } from "../select.js";
import { say } from "../words.js";
import { Announcer } from "./announcer.js";
import { FunnelView } from "./funnel.js";
import { Heading } from "./heading.js";
import { Later } from "./later.js";
import { lazily } from "./lazily.js";
import { Notice, Refusal } from "./notice.js";
import { PeopleView } from "./people.js";
import { Tiles } from "./tiles.js";
import { TimelineView } from "./timeline.js";

const DetailsView = lazily(() => import("./details.js").then((module) => module.DetailsView));

/**
 * @param {import("./app.js").CampaignProps & {untracked: boolean | undefined}} props `untracked`:
 *   many deliveries and no open
 */
export function CampaignView({ id, page, topic, data, summary, untracked }) {
  const { format, now } = page;
  const campaign = summary?.campaign;
  const refusal = topic?.error && html`<${Refusal} error=${topic.error} />`;
  return html`
    <a class="back" href="#/">← All campaigns</a>
    <div class="head">
      <${Heading}><bdi>${campaign?.title ?? id}</bdi><//>
      <a class="button" href=${wallHash(id)}>Wall screen</a>
    </div>
    ${(!campaign || campaign.subject) && html`<p class="subject"><bdi>${campaign?.subject ?? "\u00a0"}</bdi></p>`}
    <p class="facts">
      ${campaign && campaign.first_event_at === null && html`
        <strong>Waiting for the first event.</strong> Numbers appear here by themselves as soon as a
        message with the tag <code>campaign</code> = <code>${id}</code> is sent.`}
      ${campaign?.sender && html`<span>From <bdi>${campaign.sender}</bdi></span>`}
      ${campaign && campaign.first_event_at !== null && html`
        <span>Started ${format.dateTime(campaign.first_event_at)}</span>`}
      ${campaign && campaign.last_event_at !== null && html`
        <span>Last event ${age(now - campaign.last_event_at)}</span>`}
      ${!campaign && !refusal && html`<span>Loading…</span>`}
    </p>
    ${refusal}
    ${untracked && html`<${Notice}>${say("page.untracked")}<//>`}
    ${(summary || !refusal) && html`
      <${Tiles} id=${id} summary=${summary} format=${format} lately=${data ? lately(data, now) : null} />
      <div class="columns">
        <${FunnelView} summary=${summary} format=${format} />
        <${PeopleView} id=${id} summary=${summary} moved=${data?.moved} format=${format} />
      </div>
      <${TimelineView} id=${id} data=${data} format=${format} />
      <${Later}><${DetailsView} ...${{ id, page, topic, data, summary }} /><//>
      <${Announcer} summary=${summary} format=${format} />`}`;
}
