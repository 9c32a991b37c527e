/** Messages as the server sends them, with defaults, so that a test specifies only what matters to it. */

import { COUNTERS, RATES, decode } from "../src/protocol.js";

export const TOPIC = "stats/email-campaign/spring-sale";

/** @param {Record<string, number>} some */
export const counts = (some = {}) => ({ ...Object.fromEntries(COUNTERS.map((name) => [name, 0])), ...some });

export const rates = () => Object.fromEntries(RATES.map((name) => [name, null]));

/** @param {number} version @param {Record<string, number>} some counters */
export const summary = (version, some = {}) => ({
  version,
  campaign: {
    id: "spring-sale", title: "spring-sale", subject: null, sender: null,
    first_event_at: "2026-11-23T10:00:00Z", last_event_at: "2026-11-23T10:05:00Z", recount_needed: false,
  },
  counts: counts(some),
  rates: rates(),
});

/** @param {string} at @param {number} version @param {Record<string, number>} some counters */
export const bucket = (at, version, some = { opens: 1 }) => ({ at: `2026-11-23T${at}:00Z`, version, ...some });

/** @param {string} url @param {number} version @param {number} clicks @param {object} some other members */
export const link = (url, version, clicks, some = {}) => ({
  id: url, url, label: null, kind: "link", version, clicks, unique_clicks: clicks, human_clicks: 0, unique_human_clicks: 0, ...some,
});

/** @param {string} id @param {number} version @param {string | null} first_event_at */
export const listed = (id, version, first_event_at, some = {}) => ({
  id, title: id, version, first_event_at: first_event_at, last_event_at: first_event_at, counts: counts(some), rates: rates(),
});

/** @param {object} frame */
export const message = (frame) => decode(JSON.stringify(frame));

/** @param {object} changes @param {string} id */
export const push = (changes, id = TOPIC) => /** @type {import("../src/protocol.js").Push} */ (message({ id, changes }));

/** @param {object} body @param {{id?: string, more?: boolean, action?: string}} options */
export const snapshot = (body, { id = TOPIC, ...rest } = {}) => /** @type {import("../src/protocol.js").Snapshot} */ (
  message({ request_id: 1, action: "subscribe", id, snapshot: body, ...rest })
);
