/** The order of a campaign's links, and what remains beside those that are shown. Pure. */

/** @typedef {import("./protocol.js").Link} Link */

/** The id of the row for the clicks of all links that are not shown. */
export const OTHER = "other";

/** The number of links that are shown, as in a snapshot. */
export const MOST_LINKS = 250;

/**
 * Sort links as the server does: those with the most human clickers first, links to unsubscribe last.
 * @param {Iterable<Link>} links
 */
export const rankLinks = (links) => [...links].sort((a, b) =>
  Number(a.kind === "unsubscribe") - Number(b.kind === "unsubscribe")
  || (b.unique_human_clicks ?? 0) - (a.unique_human_clicks ?? 0)
  || b.human_clicks - a.human_clicks
  || (a.url < b.url ? -1 : 1));

/**
 * @param {Link[]} shown
 * @param {import("./protocol.js").Counts | undefined} counts of the campaign
 * @returns {Link[]} one row for the clicks of all other links; none if there are no such clicks
 */
export function otherLinks(shown, counts) {
  /** @param {"clicks" | "human_clicks" | "machine_clicks"} name */
  const rest = (name) => Math.max(0, (counts?.[name] ?? 0) - shown.reduce((sum, link) => sum + link[name], 0));
  const clicks = rest("clicks");
  return clicks === 0 ? [] : [{
    id: OTHER, url: OTHER, label: null, kind: "link", version: 0, clicks, unique_clicks: null,
    human_clicks: rest("human_clicks"), unique_human_clicks: null, machine_clicks: rest("machine_clicks"),
  }];
}
