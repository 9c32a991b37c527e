/**
 * What the list of campaigns shows: search, filters, order and number of rows, as in the URL's hash,
 * such as `#/?q=spring&sort=human_click&from=2026-11-01`. Defaults are left out. Pure.
 */

import { parseParameters } from "./parameters.js";

/** The columns of the table: the rate and the counter of a cell, and the digits of its rate; or the pace. */
export const COLUMNS = /** @type {const} */ ([
  [null, "sends", 0],
  ["delivery", "deliveries", 1],
  ["read", "readers", 1],
  ["human_click", "unique_human_clicks", 1],
  [null, "pace", 1],
  ["bounce", "hard_bounces", 1],
  ["complaint", "complaints", 2],
  ["unsubscribe", "unsubscribes", 2],
]);

/** The times by which campaigns can be sorted. */
export const TIMES = /** @type {readonly string[]} */ (["last_event_at", "first_event_at"]);

/** Everything by which campaigns can be sorted: times, rates, counters, and the pace. */
export const SORTS = /** @type {readonly string[]} */ ([
  ...TIMES, ...COLUMNS.flatMap(([rate]) => rate ?? []), ...COLUMNS.map(([, counter]) => counter),
]);

/** The number of rows that are shown first, and that each further step adds. */
export const STEP = 50;

/** The most rows that a URL can ask for. */
export const MOST_ROWS = 1000;

/** The most characters of the search, the sender and the tag. */
export const MOST_CHARACTERS = 200;

/**
 * `from` and `to` are UTC days of a campaign's first event, such as "2026-11-01", both included; null for
 * no limit. `tag` is a message tag and its value, such as "variant=b". `tests` is 1 if test campaigns are shown.
 * @typedef {{search: string, sort: string, order: string, from: string | null, to: string | null, sender: string,
 *            tag: string, tests: number, rows: number}} Query
 */

/** @type {Query} */
export const NEWEST = { search: "", sort: "last_event_at", order: "desc", from: null, to: null, sender: "", tag: "", tests: 0, rows: STEP };

/** @param {string} value such as "2026-02-30" @returns {boolean} whether it is a day of the calendar */
function isDay(value) {
  const at = /^\d{4}-\d\d-\d\d$/.test(value) ? Date.parse(value) : NaN;
  return !Number.isNaN(at) && dayOf(at) === value;
}

/** @param {number} at in milliseconds since 1970 @returns {string} its UTC day, such as "2026-11-23" */
export const dayOf = (at) => new Date(at).toISOString().slice(0, 10);

const isText = (/** @type {string} */ value) => value.length <= MOST_CHARACTERS;

/** By parameter: the member of the query, whether a value is valid, and the value of the member. */
const PARAMETERS = /** @type {Record<string, [keyof Query, (value: string) => boolean, ((value: string) => any)?]>} */ ({
  q: ["search", isText, (value) => value.trim()],
  sort: ["sort", (value) => SORTS.includes(value)],
  order: ["order", (value) => value === "asc" || value === "desc"],
  from: ["from", isDay],
  to: ["to", isDay],
  sender: ["sender", isText, (value) => value.trim()],
  tag: ["tag", (value) => value.trim() === "" || (isText(value) && /^\s*[^=\s].*=\s*\S/.test(value)), (value) => value.trim()],
  tests: ["tests", (value) => /^[01]$/.test(value), Number],
  rows: ["rows", (value) => /^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= MOST_ROWS, Number],
});

/**
 * @param {string} text the part of the hash after `?`
 * @returns {{query: Query, problems: import("./parameters.js").Problem[]}} invalid parameters have their defaults, and a problem each
 */
export function parseQuery(text) {
  const { values, problems } = parseParameters(text, PARAMETERS, "list");
  /** @type {Query} */
  const query = { ...NEWEST, ...values };
  if (query.from && query.to && query.from > query.to) {
    problems.push({ name: "from", value: query.from, text: "list.bad_period" });
    query.from = query.to = null;
  }
  return { query, problems };
}

/** @param {Query} query @returns {string} the hash of the list's URL */
export function listHash(query) {
  const parameters = new URLSearchParams();
  for (const [name, [member]] of Object.entries(PARAMETERS)) {
    if (query[member] !== NEWEST[member]) parameters.set(name, String(query[member]));
  }
  const text = String(parameters);
  return text ? `#/?${text}` : "#/";
}

/** @param {Query} query @returns {string} equal for queries that differ at most in the number of rows */
export const keyOfList = (query) => listHash({ ...query, rows: NEWEST.rows });

/** Whether some campaigns may not match. @param {Query} query */
export const isFiltered = ({ search, from, to, sender, tag }) => Boolean(search || from || to || sender || tag);

/** Whether a campaign is left out because it is a test. @param {Query} query @param {import("./protocol.js").Summary} summary */
export const hides = ({ tests }, { campaign }) => campaign.test && !tests;

/** Whether it is the live list: all campaigns but tests, the newest activity first. @param {Query} query */
export const isLive = (query) => keyOfList(query) === listHash(NEWEST);

/** The key of the order's name in the glossary. @param {Query} query */
export const orderKey = ({ sort, order }) => `list.${TIMES.includes(sort) ? "time" : "number"}_${order}`;

/** The query without search and filters. @param {Query} query @returns {Query} */
export const unfiltered = ({ sort, order }) => ({ ...NEWEST, sort, order });

/**
 * The order after a press on a column's header: highest first, then lowest first, then the default.
 * @param {Query} query @param {string} sort @returns {Query}
 */
export function sortedBy(query, sort) {
  const [now, next] = query.sort !== sort ? [sort, "desc"] : query.order === "desc" ? [sort, "asc"] : [NEWEST.sort, "desc"];
  return { ...query, sort: now, order: next, rows: STEP };
}

/**
 * @param {Query} query
 * @returns {import("./connection.js").Request} for the campaigns that match
 */
export const requestOf = ({ search, sort, order, from, to, sender, tag, tests }) => ({
  action: "listCampaigns", sort, order, totals: true,
  ...(search && { query: search }), ...(from && { from }), ...(to && { to }), ...(sender && { sender }), ...(tag && { tag }),
  ...(tests && { tests: "shown" }),
});
