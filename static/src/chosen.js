/** The campaigns that a URL names, to be shown together. Pure. */

/** So many can be told apart. */
export const MOST = 6;

/**
 * @param {string[]} ids of a URL
 * @returns {{ids: string[], left: string[]}} without repetitions, at most MOST; and those that are left out
 */
export function chosenOf(ids) {
  const distinct = [...new Set(ids.filter(Boolean))];
  return { ids: distinct.slice(0, MOST), left: distinct.slice(MOST) };
}
