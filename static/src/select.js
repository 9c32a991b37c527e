/** The data of a campaign as the views show it: sorted, without empty parts. Pure. */

import { MOST_LINKS, otherLinks, rankLinks } from "./links.js";
import { GRAINS } from "./protocol.js";
import { AUTO_REPLY, isPrevented } from "./reputation.js";
import { WINDOW, isEmpty } from "./state.js";

/**
 * @typedef {import("./state.js").CampaignData} CampaignData
 * @typedef {import("./state.js").ListData} ListData
 * @typedef {import("./protocol.js").Bucket} Bucket
 * @typedef {import("./protocol.js").Link} Link
 * @typedef {import("./protocol.js").Grain} Grain
 */

/**
 * @param {CampaignData} data
 * @param {Grain} grain
 * @returns {Bucket[]} oldest first
 */
export function bucketsOf(data, grain) {
  return [...data.timeline[grain].values()]
    .filter((bucket) => !isEmpty(bucket))
    .sort((a, b) => a.at - b.at);
}

/**
 * The best bucket width for this campaign: the finest whose window covers all of it. The server
 * deletes minutes after two days; after that, it is hours.
 *
 * @param {CampaignData} data
 * @returns {Grain}
 */
export function defaultGrain(data) {
  const { first_event_at, last_event_at } = data.summary?.campaign ?? {};
  const lasted = (last_event_at ?? 0) - (first_event_at ?? 0);
  const fits = GRAINS.filter((grain) => lasted <= WINDOW[grain]);
  return fits.find((grain) => data.timeline[grain].size > 0) ?? fits[0] ?? "day";
}

/**
 * @param {CampaignData} data
 * @returns {Link[]} the links with the most human clickers first, links to unsubscribe after them,
 *   `other` last
 */
export function linksOf(data) {
  const shown = rankLinks([...data.links.values()].filter((link) => link.clicks || link.unique_clicks || link.human_clicks))
    .slice(0, MOST_LINKS);
  return [...shown, ...otherLinks(shown, data.summary?.counts)];
}

/** The period of `lately`, in minutes. */
export const LATELY = 5;
/** How long opens and clicks may still be reclassified, in minutes. */
export const UNSETTLED = 15;

/**
 * The recent increase of each counter, by the events' own times; never more than the counter itself,
 * whose version may be older than that of its minutes.
 *
 * @param {CampaignData} data
 * @param {number} now in milliseconds since 1970
 * @param {number} [period] in minutes
 * @returns {Bucket["counts"]}
 */
export function lately(data, now, period = LATELY) {
  /** @type {Record<string, number>} */
  const sums = {};
  for (const { at, counts } of data.timeline.minute.values()) {
    if (at <= now - period * 60_000) continue;
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
  }
  const totals = /** @type {Record<string, number | null>} */ (data.summary?.counts ?? {});
  for (const [name, sum] of Object.entries(sums)) sums[name] = Math.min(sum, totals[name] ?? 0);
  return sums;
}

/**
 * @param {CampaignData} data
 * @returns {import("./protocol.js").Bounces[]} the most frequent first; after bounces, automatic
 *   replies and emails that were not sent
 */
export function bouncesOf(data) {
  return [...data.bounces.values()]
    .filter(({ count }) => count > 0)
    .sort((a, b) => order(a) - order(b) || b.count - a.count);
}

/** @param {import("./protocol.js").Bounces} one */
const order = ({ subtype }) => (isPrevented(subtype) ? 2 : Number(subtype === AUTO_REPLY));

/**
 * @param {CampaignData | null} data
 * @returns {import("./protocol.js").Incident[]} those that have not ended, critical ones first
 */
export const runningOf = (data) => [...data?.incidents.values() ?? []].filter(({ ended_at }) => ended_at === null)
  .sort((a, b) => Number(b.level === "critical") - Number(a.level === "critical") || b.began_at - a.began_at);

/** The newest event that the page knows of. @param {Iterable<{campaign: {last_event_at: number | null}}>} summaries */
export function newestEvent(summaries) {
  let newest = 0;
  for (const { campaign } of summaries) newest = Math.max(newest, campaign.last_event_at ?? 0);
  return newest || null;
}
