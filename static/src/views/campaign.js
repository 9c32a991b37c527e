/** One campaign: its key numbers, how they came in over time, and its links. */

import { age } from "../format.js";
import { html } from "../html.js";
import { LinksView } from "./links.js";
import { Notice, Refusal } from "./notice.js";
import { Tiles } from "./tiles.js";
import { TimelineView } from "./timeline.js";

/**
 * @param {{id: string, page: import("./app.js").Page,
 *          topic: import("../state.js").TopicState | undefined,
 *          listed: import("../protocol.js").Summary | undefined,
 *          untracked: boolean | undefined}} props `untracked`: many deliveries and no open
 */
export function CampaignView({ id, page, topic, listed, untracked }) {
  const { format } = page;
  const data = topic?.shown?.type === "campaign" ? topic.shown : null;
  const summary = data?.summary ?? listed ?? null;
  const campaign = summary?.campaign;
  const refusal = topic?.error && html`<${Refusal} error=${topic.error} />`;
  return html`
    <a class="back" href="#/">← All campaigns</a>
    <h1 tabindex="-1">${campaign?.title ?? id}</h1>
    ${(!campaign || campaign.subject) && html`<p class="subject">${campaign?.subject ?? "\u00a0"}</p>`}
    <p class="facts">
      ${campaign && campaign.firstEventAt === null && html`
        <strong>Waiting for the first event.</strong> Numbers appear here by themselves as soon as a
        message with the tag <code>campaign</code> = <code>${id}</code> is sent.`}
      ${campaign?.sender && html`<span>From ${campaign.sender}</span>`}
      ${campaign && campaign.firstEventAt !== null && html`
        <span>Started ${format.dateTime(campaign.firstEventAt)}</span>`}
      ${campaign && campaign.lastEventAt !== null && html`
        <span>Last event ${age(page.now - campaign.lastEventAt)}</span>`}
      ${!campaign && !refusal && html`<span>Loading…</span>`}
    </p>
    ${refusal}
    ${untracked && html`
      <${Notice}>
        Delivered, and not one open: open and click tracking is probably switched off for these mails.
        ${" "}Some are always opened within the hour, by machines alone. See that SES's event destination
        ${" "}reports opens and clicks, and that the mails are HTML.
      <//>`}
    ${(summary || !refusal) && html`
      <${Tiles} summary=${summary} format=${format} />
      <${TimelineView} data=${data} format=${format} />
      <${LinksView} data=${data} format=${format} />`}`;
}
