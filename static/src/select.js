/** What the views show of the state: sorted, and without what is 0. Pure. */

import { GRAINS } from "./protocol.js";
import { WINDOW, isEmpty } from "./state.js";

/**
 * @typedef {import("./state.js").CampaignData} CampaignData
 * @typedef {import("./state.js").ListData} ListData
 * @typedef {import("./protocol.js").Summary} Summary
 * @typedef {import("./protocol.js").Bucket} Bucket
 * @typedef {import("./protocol.js").Link} Link
 * @typedef {import("./protocol.js").Grain} Grain
 */

/** The link that stands for all links beyond those counted by themselves. */
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
 * The bucket width that tells most about this campaign: the finest whose window holds all of
 * it. The server forgets minutes after two days; then it is hours.
 *
 * @param {CampaignData} data
 * @returns {Grain}
 */
export function defaultGrain(data) {
  const { firstEventAt, lastEventAt } = data.summary?.campaign ?? {};
  const lasted = (lastEventAt ?? 0) - (firstEventAt ?? 0);
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

/**
 * @param {ListData} data
 * @returns {Summary[]} newest first
 */
export function campaignsOf(data) {
  return [...data.campaigns.values()].sort((a, b) =>
    (b.campaign.firstEventAt ?? 0) - (a.campaign.firstEventAt ?? 0)
    || (a.campaign.id < b.campaign.id ? -1 : 1));
}
