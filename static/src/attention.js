/**
 * How closely the viewer follows the page, which determines how often the server pushes changes.
 * Pure.
 */

/** @typedef {"active" | "visible" | "hidden"} Level */

/** A viewer who has not touched the page for this long may be looking at something else, in milliseconds. */
export const ACTIVE_FOR = 120_000;

/** What counts as a sign of attention: events of the window. */
export const SIGNS = /** @type {const} */ (["pointermove", "pointerdown", "keydown", "wheel", "scroll", "touchstart", "focus"]);

/**
 * @param {{hidden: boolean, wall: boolean, signAt: number, now: number}} page `hidden`: whether the tab is in
 *   the background; `wall`: whether it shows the view for wall screens, which has no input; `signAt`: when the
 *   viewer last touched the page, in milliseconds since 1970
 * @returns {Level}
 */
export function levelOf({ hidden, wall, signAt, now }) {
  if (hidden) return "hidden";
  return wall || now - signAt < ACTIVE_FOR ? "active" : "visible";
}
