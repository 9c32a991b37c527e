/** What about a campaign needs attention. Pure. */

import { providersOf, sumOf, troubles } from "./deliverability.js";
import { judgeCampaign } from "./reputation.js";

/**
 * `key` of the text that names it, with its values.
 * @typedef {{key: string, values: Record<string, string>}} Problem
 */

/**
 * @param {import("./protocol.js").Summary | null} summary
 * @param {import("./state.js").CampaignData | null} data
 * @returns {Problem[]} running incidents, rates above a limit of SES, and providers that are worse than the others; each once
 */
export function problemsOf(summary, data) {
  const running = [...data?.incidents.values() ?? []].filter(({ ended_at }) => ended_at === null);
  /** @param {string} kind @param {string} [provider] */
  const reported = (kind, provider) => running.some((one) => one.kind === kind && (!provider || one.values.provider === provider));
  const rates = /** @type {const} */ ([["bounce", "bounces"], ["complaint", "complaints"]])
    .filter(([rate, kind]) => judgeCampaign(rate, summary?.counts).level === "bad" && !reported(kind))
    .map(([rate]) => ({ key: `problems.${rate}`, values: {} }));
  const providers = data ? providersOf(data) : [];
  const all = sumOf(providers);
  return [
    ...running.map(({ kind, values }) => ({ key: `incident_title.${kind}`, values: { provider: values.provider } })),
    ...rates,
    ...providers.flatMap((one) => troubles(one, all)
      .filter((what) => !reported(what === "delivery_delays" ? "provider_delays" : "provider_bounces", one.provider))
      .map((what) => ({ key: `problems.${what}`, values: { provider: one.provider } }))),
  ];
}
