/** The problems of a campaign, in large lines; one quiet line if there are none. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { problemsOf } from "../problems.js";
import { shownRate } from "../rates.js";
import { judgeCampaign } from "../reputation.js";
import { nameOf } from "./problems.js";

/** More lines than these are counted only. */
const MOST = 2;

const RATES = /** @type {const} */ ([["bounce", "hard_bounces", 1], ["complaint", "complaints", 2]]);

/**
 * @param {{summary: import("../protocol.js").Summary | null, data: import("../state.js").CampaignData | null,
 *          now: number, format: import("../format.js").Format}} props
 */
export function WallProblems({ summary, data, now, format }) {
  const rates = RATES.map(([rate, counter, digits]) => ({
    rate, counter, shown: format.percent(shownRate(rate, summary), digits), ...judgeCampaign(rate, summary?.counts),
  }));
  const lines = [
    ...problemsOf(summary, data).map((one) => html`
      <p key=${one.key + one.provider} class=${`trouble ${one.isCritical ? "bad" : "watch"}`} data-incident=${one.incident?.incident}>
        <strong>${nameOf(one, format)}</strong>
        ${" "}<span>${one.incident ? text("wall.since", { time: format.clock(one.incident.began_at, now) }) : one.detail && text(one.detail)}</span>
      </p>`),
    ...rates.filter(({ level }) => level === "watch").map(({ rate, shown, count, total }) => html`
      <p key=${rate} class="trouble watch">
        <strong>${text(`rate_label.${rate}`)} ${shown}</strong> <span>${text("campaign.too_few", { count: format.count(count), total: format.count(total) })}</span>
      </p>`),
  ];
  const left = lines.length - MOST;
  const waiting = data?.summary?.campaign.first_event_at === null;
  return html`
    <section class="problems" aria-label=${text("wall.problems")}>
      <div>
        ${lines.slice(0, MOST)}
        ${lines.length === 0 && html`<p class="quiet">${!data ? "\u00a0" : waiting ? text("campaign.waiting") : html`<span class="fine">✓</span> ${text("problems.none")}`}</p>`}
      </div>
      <p class="reputation">
        ${left > 0 && html`<b>${text(left === 1 ? "wall.one_more" : "wall.more", { count: format.count(left) })}</b>`}
        ${rates.map(({ rate, counter, shown }) => html`<span key=${rate}>${text(`rate_label.${rate}`)} <b>${format.count(summary?.counts[counter])}</b> (${shown})</span>`)}
      </p>
    </section>`;
}
