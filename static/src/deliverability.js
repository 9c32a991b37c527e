/** Mailbox providers and SMTP replies of a campaign: what the page shows of them. Pure. */

import { lowerBound } from "./reputation.js";

/**
 * @typedef {import("./protocol.js").Provider} Provider
 * @typedef {import("./protocol.js").ReplyClass} ReplyClass
 * @typedef {import("./state.js").CampaignData} CampaignData
 * @typedef {"delivery_delays" | "hard_bounces" | "soft_bounces"} Trouble
 */

/** What is compared between providers. */
export const TROUBLES = /** @type {const} */ (["delivery_delays", "hard_bounces", "soft_bounces"]);
/** The period of `recent`, in minutes. */
export const RECENT = 15;
const MOST_REPLIES = 20;
/** The fewest delays or bounces that are judged. */
const FEWEST = 10;

/** @param {CampaignData} data @returns {Provider[]} those with the most sends first, `other` last */
export function providersOf(data) {
  return [...data.providers.values()].filter((one) => one.sends || one.deliveries || one.delivery_delays || one.hard_bounces || one.soft_bounces)
    .sort((a, b) => Number(a.provider === "other") - Number(b.provider === "other")
      || b.sends - a.sends || (a.provider < b.provider ? -1 : 1));
}

/** @param {readonly Provider[]} providers @returns {Provider} their sums */
export function sumOf(providers) {
  const sum = /** @type {any} */ ({ provider: "", version: 0 });
  for (const one of providers) {
    for (const [name, number] of Object.entries(one)) if (typeof number === "number") sum[name] = (sum[name] ?? 0) + number;
  }
  return sum;
}

/** @param {CampaignData} data @returns {ReplyClass[]} the most frequent first */
export function repliesOf(data) {
  /** @param {ReplyClass} one */
  const name = ({ status, text }) => `${status} ${text}`;
  return [...data.replies.values()].filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || (name(a) < name(b) ? -1 : 1)).slice(0, MOST_REPLIES);
}

/**
 * @param {CampaignData} data
 * @param {number} now in milliseconds since 1970
 * @returns {Map<string, {delivery_delays: number, bounces: number}>} by provider
 */
export function recent(data, now) {
  const sums = new Map();
  for (const { at, providers } of data.undelivered.values()) {
    if (at <= now - RECENT * 60_000) continue;
    for (const [name, { delivery_delays, bounces }] of Object.entries(providers)) {
      const sum = sums.get(name) ?? { delivery_delays: 0, bounces: 0 };
      sums.set(name, { delivery_delays: sum.delivery_delays + delivery_delays, bounces: sum.bounces + bounces });
    }
  }
  return sums;
}

/**
 * What happens at a provider significantly more often than at the others together: the intervals of
 * the two shares (Wilson's) do not overlap. Below ten cases nothing is said.
 *
 * @param {Provider} one
 * @param {Provider} all the sums over the providers
 * @returns {Trouble[]}
 */
export function troubles(one, all) {
  return TROUBLES.filter((what) => {
    const [mine, rest] = [tried(one), tried(all) - tried(one)];
    // An email may be delayed repeatedly: each email counts once at most.
    const [cases, others] = [Math.min(one[what], mine), Math.min(all[what] - one[what], rest)];
    return cases >= FEWEST && rest > 0 && lowerBound(cases, mine) > 1 - lowerBound(rest - others, rest);
  });
}

/** @param {Provider} one @returns {number} the emails that SES tried to send */
export const tried = ({ sends, prevented }) => Math.max(0, sends - prevented);
