/** Links from the numbers of a campaign to other views. A share link has none. */

import { campaignHash } from "./route.js";

let alone = false;

/** Disable links to recipients and to other campaigns from now on. */
export function standAlone() {
  alone = true;
  document.documentElement.classList.add("alone");
}

export const standsAlone = () => alone;

/** @param {string[]} ids of campaigns, in the order in which they are shown @returns {string | undefined} undefined if there is no link */
export const wallHash = (...ids) => (alone ? undefined : ["#/wall", ...ids.map(encodeURIComponent)].join("/"));

/** @param {string} id the campaign's id @returns {string | undefined} undefined if there is no link */
export const reportHash = (id) => (alone ? undefined : `#/report/${encodeURIComponent(id)}`);

/** @param {string[]} ids of campaigns, the reference first @returns {string | undefined} undefined if there is no link */
export const compareHash = (ids) => (alone ? undefined : ["#/compare", ...ids.map(encodeURIComponent)].join("/"));

/**
 * @param {string} id the campaign's id
 * @param {{state?: string, recipient?: string}} [choice]
 * @returns {string | undefined} undefined if there is no link
 */
export const recipientsHash = (id, choice) => activityHash(id, "recipients", choice);

/**
 * @param {string} id the campaign's id
 * @param {string} counter
 * @param {Record<string, string>} [limits]
 * @returns {string | undefined} undefined if there is no link
 */
export function activityHash(id, counter, limits) {
  if (alone) return undefined;
  const query = limits ? `?${new URLSearchParams(limits)}` : "";
  return `${campaignHash(id)}/${counter}${query}`;
}
