/** Which campaigns of a long list are stated to be on the screen. Pure. */

/** The most campaigns that a subscription may name. */
export const MOST_ON_SCREEN = 200;

/** About as many rows as fit on the screen. */
const VISIBLE = 50;

/**
 * @param {string[]} ids of all rows
 * @param {number} first the index of the first row on the screen
 * @param {readonly string[] | null} stated before; null if none were
 * @returns {string[]} at most MOST_ON_SCREEN; `stated` itself while it has what is on the screen
 */
export function onScreen(ids, first, stated) {
  if (ids.length <= MOST_ON_SCREEN) return ids;
  const known = new Set(stated);
  const isStated = ids.slice(first, first + VISIBLE).every((id) => known.has(id));
  if (stated && isStated) return /** @type {string[]} */ (stated);
  const start = Math.max(0, Math.min(first - (MOST_ON_SCREEN - VISIBLE) / 2, ids.length - MOST_ON_SCREEN));
  return ids.slice(start, start + MOST_ON_SCREEN);
}
