/** The notes of a campaign, and the times of a form's field. Pure. */

import { isUtc } from "./format.js";

/** The most characters of a note. */
export const MOST_CHARACTERS = 280;

const MINUTE = 60_000;

/**
 * @param {Pick<import("./state.js").CampaignData, "notes">} data
 * @returns {(import("./protocol.js").Note & {text: string})[]} those that were not removed, the earliest first
 */
export const notesOf = ({ notes }) => /** @type {any} */ ([...notes.values()].filter(({ text }) => text !== null)
  .sort((a, b) => a.at - b.at || (a.note < b.note ? -1 : 1)));

/**
 * @param {number} at in milliseconds since 1970
 * @param {import("./chart.js").Range} shown on the axis of a chart
 * @returns {"before" | "after" | null} on which side of the chart a note lies; null if it has a mark on it
 */
export const besideOf = (at, [from, to]) => (at < from * 1000 ? "before" : at >= to * 1000 ? "after" : null);

/**
 * @param {number} at in milliseconds since 1970
 * @param {string} zone UTC or that of the browser
 * @returns {string} the value of a field for a date and a time, such as "2026-11-23T11:00"
 */
export const fieldOf = (at, zone) => new Date(at - (isUtc(zone) ? 0 : new Date(at).getTimezoneOffset() * MINUTE)).toISOString().slice(0, 16);

/**
 * @param {string} value of a field for a date and a time
 * @param {string} zone UTC or that of the browser
 * @returns {string} as the server expects it, such as "2026-11-23T10:00:00Z"
 */
export const momentOf = (value, zone) => new Date(isUtc(zone) ? `${value}Z` : value).toISOString().replace(/\.\d+/, "");
