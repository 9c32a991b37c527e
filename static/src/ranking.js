/** The list of campaigns, in order. Pure. */

/** @typedef {import("./protocol.js").Summary} Summary */

/** From here on SES reviews an account: its limits for the account as a whole. */
export const REVIEW = { bounce: 0.05, complaint: 0.001 };

/** A campaign whose last event is younger is happening now; in milliseconds. */
const RECENT = 120_000;

/** In milliseconds since 1970, beyond any event. */
const AFTER_ALL = 1e15;

/** @param {Summary} summary @param {number} now in milliseconds since 1970 */
export const isActive = ({ campaign }, now) => now - (campaign.last_event_at ?? 0) < RECENT;

/**
 * The newest activity first; those that are active now keep their order, by when they began: they
 * would change places with every event.
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
