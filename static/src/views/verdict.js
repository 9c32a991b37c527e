/** How a campaign does, and what is wrong with it, in one line. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { problemsOf } from "../problems.js";
import { judgeCampaign } from "../reputation.js";
import { levelOf } from "./pace.js";
import { countOf, nameOf } from "./problems.js";

/** Problems that are named; the others are counted only. */
const MOST_NAMED = 2;

/**
 * @param {{summary: import("../protocol.js").Summary | null, data: import("../state.js").CampaignData | null,
 *          format: import("../format.js").Format}} props `data`: null while it is loading
 */
export function Verdict({ summary, data, format }) {
  const problems = problemsOf(summary, data);
  const metric = data?.pace?.human_opens ? "human_opens" : "human_clicks";
  const now = data?.pace?.[metric];
  // A rate above a limit, of which too few emails are known.
  const judged = /** @type {const} */ (["bounce", "complaint"]).some((rate) => judgeCampaign(rate, summary?.counts).level === "watch");
  const names = problems.slice(0, MOST_NAMED).map((one) => nameOf(one, format)).join("; ");
  return html`
    <p class="verdict-of-campaign">
      ${now && html`<b class=${levelOf(now)}>${text(`verdict.${metric}_${levelOf(now)}`)}</b>${" "}`}
      ${data && summary && summary.campaign.first_event_at !== null && html`
        <span class=${problems.length ? "bad" : ""}>${judged && !problems.length ? text("problems.too_few") : countOf(problems, format)}${names && `: ${names}`}${problems.length > MOST_NAMED && "…"}</span>`}
    </p>`;
}
