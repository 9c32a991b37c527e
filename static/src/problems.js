/** What about a campaign needs attention. Pure. */

import { providersOf, sumOf, troubles } from "./deliverability.js";
import { judgeCampaign } from "./reputation.js";
import { runningOf } from "./select.js";

/**
 * `key` of the text that names it, with its provider; `detail`: the key of a text that says more. `share` of emails, as a
 * fraction of 1, of a rate above a limit; the numbers of an incident are those of its beginning. `incident` reports it.
 * @typedef {{key: string, provider?: string | null, isCritical: boolean, detail?: string, share?: number,
 *            incident?: import("./protocol.js").Incident}} Problem
 */

/**
 * @param {import("./protocol.js").Summary | null} summary
 * @param {import("./state.js").CampaignData | null} data
 * @returns {Problem[]} running incidents, rates above a limit of SES, and providers that are worse than the others; each once
 */
export function problemsOf(summary, data) {
  const running = runningOf(data);
  /** @param {string} kind @param {string} [provider] */
  const isReported = (kind, provider) => running.some((one) => one.kind === kind && (!provider || one.values.provider === provider));
  const providers = data ? providersOf(data) : [];
  const all = sumOf(providers);
  return [
    ...running.map((incident) => ({
      key: `incident_title.${incident.kind}`, provider: incident.values.provider, isCritical: incident.level === "critical", incident,
    })),
    .../** @type {const} */ (["bounce", "complaint"]).flatMap((rate) => {
      const { level, line, count, total } = judgeCampaign(rate, summary?.counts);
      if (level !== "bad" || isReported(`${rate}s`)) return [];
      return [{ key: `problems.${rate}`, isCritical: true, detail: `campaign.${rate}_${line}`.replace("0.", ""), share: count / total }];
    }),
    ...providers.flatMap((one) => troubles(one, all)
      .filter((what) => !isReported(what === "delivery_delays" ? "provider_delays" : "provider_bounces", one.provider))
      .map((what) => ({ key: `problems.${what}`, provider: one.provider, isCritical: false }))),
  ];
}
