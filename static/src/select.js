/** The data of a campaign as the views show it: sorted, without empty parts. Pure. */

import { GRAINS } from "./protocol.js";
import { WINDOW, isEmpty } from "./state.js";

/**
 * @typedef {import("./state.js").CampaignData} CampaignData
 * @typedef {import("./state.js").ListData} ListData
 * @typedef {import("./protocol.js").Bucket} Bucket
 * @typedef {import("./protocol.js").Link} Link
 * @typedef {import("./protocol.js").Grain} Grain
 */

/** The link that stands for all links that are not counted individually. */
export const OTHER = "other";

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
 * @returns {Link[]} the most clicked first, `other` last
 */
export function linksOf(data) {
  return [...data.links.values()]
    .filter((link) => link.clicks || link.unique_clicks || link.human_clicks)
    .sort((a, b) =>
      Number(a.url === OTHER) - Number(b.url === OTHER)
      || b.clicks - a.clicks
      || (a.url < b.url ? -1 : 1));
}

/** The period of `lately`, in minutes. */
export const LATELY = 5;

/**
 * The recent increase of each counter, by the events' own times.
 *
 * @param {CampaignData} data
 * @param {number} now in milliseconds since 1970
 * @returns {Partial<import("./protocol.js").Counts>}
 */
export function lately(data, now) {
  /** @type {Record<string, number>} */
  const sums = {};
  for (const { at, counts } of data.timeline.minute.values()) {
    if (at <= now - LATELY * 60_000) continue;
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

/**
 * @param {CampaignData} data
 * @returns {import("./protocol.js").Bounces[]} the most frequent first
 */
export function bouncesOf(data) {
  return [...data.bounces.values()].filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
}
