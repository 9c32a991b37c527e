/** The subject of a campaign, its sender, and when it was sent. */

import { age } from "../format.js";
import { text } from "../glossary.js";
import { html } from "../html.js";

/**
 * @param {{id: string, campaign: import("../protocol.js").Summary["campaign"] | undefined, now?: number,
 *          loading?: boolean, format: import("../format.js").Format}} props `campaign`: undefined while it is loading;
 *   `now`: in milliseconds since 1970, for the age of the last event
 */
export function CampaignFacts({ id, campaign, now, loading, format }) {
  return html`
    ${(!campaign || campaign.subject) && html`<p class="subject"><bdi>${campaign?.subject ?? "\u00a0"}</bdi></p>`}
    <p class="facts">
      ${campaign && campaign.first_event_at === null && html`
        <strong>${text("campaign.waiting")}</strong> ${text("campaign.waiting_hint", { id })}`}
      ${campaign?.sender && html`<span>${text("campaign.from")} <bdi>${campaign.sender}</bdi></span>`}
      ${campaign && campaign.first_event_at !== null && html`
        <span>${text("campaign.started", { time: format.dateTime(campaign.first_event_at) })}</span>`}
      ${campaign && campaign.last_event_at !== null && html`
        <span>${text("campaign.last_event", { ago: now === undefined ? format.dateTime(campaign.last_event_at) : age(now - campaign.last_event_at) })}</span>`}
      ${loading && html`<span>${text("page.loading")}</span>`}
    </p>`;
}
