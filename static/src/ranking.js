/** The order of the list of campaigns. Pure. */

/** @typedef {import("./protocol.js").Summary} Summary */

/** A campaign is active if its last event is more recent than this, in milliseconds. */
const RECENT = 120_000;

/** Later than any event, in milliseconds since 1970. */
const AFTER_ALL = 1e15;

/** @param {Summary} summary @param {number} now in milliseconds since 1970 */
export const isActive = ({ campaign }, now) => now - (campaign.last_event_at ?? 0) < RECENT;

/**
 * Sort by newest activity. Active campaigns are sorted by their first event instead, because they
 * would otherwise change places with every event.
 *
 * @param {Iterable<Summary>} campaigns
 * @param {number} now in milliseconds since 1970
 * @returns {Summary[]}
 */
export function ranked(campaigns, now) {
  /** @param {Summary} one */
  const rank = (one) => (isActive(one, now)
    ? AFTER_ALL + (one.campaign.first_event_at ?? 0) : one.campaign.last_event_at ?? 0);
  return [...campaigns].sort((a, b) => rank(b) - rank(a) || (a.campaign.id < b.campaign.id ? -1 : 1));
}
