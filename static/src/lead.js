/** Where the numbers of a campaign lead to; those of a share link stand alone. */

import { campaignHash } from "./route.js";

let alone = false;

/** From now on nothing leads to who it was, or to other campaigns. */
export function standAlone() {
  alone = true;
  document.documentElement.classList.add("alone");
}

export const standsAlone = () => alone;

/** @param {string} id the campaign's id @returns {string | undefined} undefined where it leads nowhere */
export const wallHash = (id) => (alone ? undefined : `#/wall/${encodeURIComponent(id)}`);

/**
 * @param {string} id the campaign's id
 * @param {string} counter
 * @param {{link?: string, kind?: string}} [limits]
 * @returns {string | undefined} undefined where it leads nowhere
 */
export function activityHash(id, counter, limits) {
  if (alone) return undefined;
  const query = limits ? `?${new URLSearchParams(limits)}` : "";
  return `${campaignHash(id)}/${counter}${query}`;
}
