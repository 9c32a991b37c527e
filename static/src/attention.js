/**
 * How closely the viewer follows the page, which determines how often the server pushes changes.
 * Pure.
 */

/** @typedef {"active" | "visible" | "hidden"} Level */

/** A viewer who has not touched the page for this long may be looking at something else, in milliseconds. */
export const ACTIVE_FOR = 120_000;

/** What counts as a sign of attention: events of the window. */
export const SIGNS = /** @type {const} */ (["pointermove", "pointerdown", "keydown", "wheel", "scroll", "touchstart", "focus"]);

/** An active page asks for a push each second while emails are sent, and for this long afterwards, in milliseconds. */
export const SENDING_FOR = 3_600_000;

/**
 * Return when emails were last sent in what the page shows, in milliseconds since 1970; Infinity if that is unknown, and
 * before the first event. A list does not say it: of its campaigns, the beginning counts.
 * @param {readonly (import("./state.js").TopicData | null | undefined)[]} shown
 */
export function lastSentAt(shown) {
  const times = shown.flatMap((data) => (
    data?.type === "campaign" ? [...data.timeline.minute.values()].map(({ at, counts }) => (counts.sends ? at : 0))
    : data?.type === "list" ? [...data.campaigns.values()].map(({ campaign }) => campaign.first_event_at ?? 0)
    : Infinity));
  return times.length ? Math.max(...times) : Infinity;
}

/**
 * @param {{hidden: boolean, wall: boolean, signAt: number, sentAt: number, now: number}} page `hidden`: whether the tab
 *   is in the background; `wall`: whether it shows the view for wall screens, which has no input; `signAt`: when the
 *   viewer last touched the page, in milliseconds since 1970; `sentAt`: when emails were last sent
 * @returns {Level}
 */
export function levelOf({ hidden, wall, signAt, sentAt, now }) {
  if (hidden) return "hidden";
  return (wall || now - signAt < ACTIVE_FOR) && now - sentAt < SENDING_FOR ? "active" : "visible";
}
