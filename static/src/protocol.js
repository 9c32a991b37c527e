/**
 * The messages of the WebSocket: what the server sends, checked and put into the page's
 * own shapes. Pure. `connection.js` feeds it frames; `state.js` takes what it gives.
 *
 * Strict about the members that the page uses, deaf to those that it does not know: the
 * server may add members, and never renames one.
 */

import {
  ProtocolError, count, fail, identifier, list, object, optional, rate, string, time,
} from "./validate.js";

/** Counters of a campaign, as the server names them; non-negative integers. */
export const COUNTERS = /** @type {const} */ ([
  "sends", "deliveries", "delivery_delays",
  "opens", "unique_opens", "human_opens", "unique_human_opens", "machine_opens",
  "clicks", "unique_clicks", "human_clicks", "unique_human_clicks", "machine_clicks",
  "hard_bounces", "soft_bounces", "undetermined_bounces",
  "complaints", "rejects", "rendering_failures", "unsubscribes",
]);

/** Rates of a campaign: fractions of 1, null where the denominator is 0. */
export const RATES = /** @type {const} */ ([
  "delivery", "bounce", "open", "human_open",
  "click", "human_click", "click_to_open", "complaint",
]);

/** Bucket widths of the timeline. */
export const GRAINS = /** @type {const} */ (["minute", "hour", "day"]);

export const LIST_TOPIC = "stats/email-campaigns";
export const HEALTH_TOPIC = "stats/health";
const CAMPAIGN_TOPIC = "stats/email-campaign/";

/** @param {string} id the campaign's id */
export const campaignTopic = (id) => CAMPAIGN_TOPIC + id;

/**
 * @typedef {typeof COUNTERS[number]} Counter
 * @typedef {typeof RATES[number]} RateName
 * @typedef {typeof GRAINS[number]} Grain
 * @typedef {Record<Counter, number>} Counts
 * @typedef {Record<RateName, number | null>} Rates
 *
 * Times are milliseconds since 1970, UTC; null when there was no event yet.
 * @typedef {{id: string, title: string, subject: string | null, sender: string | null,
 *            firstEventAt: number | null, lastEventAt: number | null}} Campaign
 *
 * What the server's top-level version covers.
 * @typedef {{version: number, campaign: Campaign, counts: Counts, rates: Rates}} Summary
 *
 * Counters that are 0 are left out.
 * @typedef {{at: number, version: number, counts: Partial<Counts>}} Bucket
 * @typedef {{url: string, version: number, clicks: number, unique_clicks: number,
 *            human_clicks: number}} Link
 * @typedef {Record<Grain, Bucket[]>} Timeline
 *
 * @typedef {{type: "campaign", summary: Summary | null, timeline: Timeline,
 *            links: Link[]}} CampaignPart
 * @typedef {{type: "list", campaigns: Summary[]}} ListPart
 * Times in milliseconds since 1970; what nothing has measured yet is null.
 * @typedef {{checkedAt: number | null, lastEventAt: number | null, waiting: number | null,
 *            oldestSeconds: number | null, deadLetters: number | null, lagSeconds: number | null,
 *            quarantined: number, unknownTypes: number, untagged: number, untracked: string[],
 *            pausedAt: number | null}} Health
 * @typedef {{type: "health", version: number, health: Health}} HealthPart
 * @typedef {CampaignPart | ListPart | HealthPart} Part
 *
 * @typedef {string | number | null} RequestId
 * @typedef {{code: string, message: string}} ServerError
 * @typedef {{kind: "snapshot", requestId: RequestId, action: string, id: string, part: Part,
 *            more: boolean}} Snapshot
 * @typedef {{kind: "push", id: string, part: Part}} Push
 * @typedef {{kind: "error", requestId: RequestId, action: string | null,
 *            error: ServerError}} ErrorReply
 * @typedef {{kind: "reply", requestId: RequestId, action: string,
 *            body: Record<string, unknown>}} Reply
 * @typedef {Snapshot | Push | ErrorReply | Reply} Message
 */

/**
 * Read one text frame.
 *
 * @param {string} text
 * @returns {Message}
 * @throws {ProtocolError} naming the member, what was expected and what was there
 */
export function decode(text) {
  /** @type {unknown} */
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    return fail("the message", "JSON", text);
  }
  const frame = object(json, "the message");
  const requestId = identifier(frame.request_id);
  try {
    return message(frame, requestId);
  } catch (error) {
    if (error instanceof ProtocolError) error.requestId = requestId;
    throw error;
  }
}

/**
 * @param {Record<string, unknown>} frame
 * @param {RequestId} requestId
 * @returns {Message}
 */
function message(frame, requestId) {
  if (frame.error !== undefined) {
    const error = object(frame.error, "error");
    return {
      kind: "error",
      requestId,
      action: optional(frame.action, "action"),
      error: { code: string(error.code, "error.code"), message: string(error.message, "error.message") },
    };
  }
  if (frame.changes !== undefined) {
    const id = string(frame.id, "id");
    return { kind: "push", id, part: part(id, frame.changes, "changes") };
  }
  // API Gateway answers by itself, in its own shape, when the function behind it failed.
  if (frame.action === undefined && typeof frame.message === "string") {
    return { kind: "error", requestId, action: null, error: { code: "internal", message: frame.message } };
  }
  const action = string(frame.action, "action");
  if (frame.snapshot === undefined) return { kind: "reply", requestId, action, body: frame };
  const id = string(frame.id, "id");
  return {
    kind: "snapshot",
    requestId,
    action,
    id,
    part: part(id, frame.snapshot, "snapshot"),
    more: frame.more === true,
  };
}

/**
 * @param {string} topic
 * @param {unknown} value
 * @param {string} path
 * @returns {Part}
 */
function part(topic, value, path) {
  const body = object(value, path);
  if (topic === LIST_TOPIC) {
    return { type: "list", campaigns: list(body.campaigns, `${path}.campaigns`, listed) };
  }
  if (topic === HEALTH_TOPIC) {
    return { type: "health", version: count(body.version, `${path}.version`), health: health(body, path) };
  }
  if (!topic.startsWith(CAMPAIGN_TOPIC)) return fail("id", "a topic that this page knows", topic);
  const timeline = body.timeline === undefined ? {} : object(body.timeline, `${path}.timeline`);
  return {
    type: "campaign",
    summary: body.counts === undefined ? null : summary(body, body.campaign, path),
    timeline: {
      minute: list(timeline.minute, `${path}.timeline.minute`, bucket),
      hour: list(timeline.hour, `${path}.timeline.hour`, bucket),
      day: list(timeline.day, `${path}.timeline.day`, bucket),
    },
    links: list(body.links, `${path}.links`, link),
  };
}

/** @param {unknown} value @param {string} path */
function listed(value, path) {
  return summary(object(value, path), value, path);
}

/**
 * @param {Record<string, unknown>} body holds version, counts and rates
 * @param {unknown} about holds id, title and times: a member of its own, or in the list the same
 * @param {string} path
 * @returns {Summary}
 */
function summary(body, about, path) {
  const campaign = object(about, `${path}.campaign`);
  const counts = object(body.counts, `${path}.counts`);
  const rates = object(body.rates, `${path}.rates`);
  return {
    version: count(body.version, `${path}.version`),
    campaign: {
      id: string(campaign.id, `${path}.campaign.id`),
      title: string(campaign.title, `${path}.campaign.title`),
      subject: optional(campaign.subject, `${path}.campaign.subject`),
      sender: optional(campaign.sender, `${path}.campaign.sender`),
      firstEventAt: time(campaign.first_event_at, `${path}.campaign.first_event_at`),
      lastEventAt: time(campaign.last_event_at, `${path}.campaign.last_event_at`),
    },
    counts: /** @type {Counts} */ (Object.fromEntries(
      COUNTERS.map((name) => [name, count(counts[name] ?? 0, `${path}.counts.${name}`)]),
    )),
    rates: /** @type {Rates} */ (Object.fromEntries(
      RATES.map((name) => [name, rate(rates[name] ?? null, `${path}.rates.${name}`)]),
    )),
  };
}

/** @param {unknown} value @param {string} path @returns {Bucket} */
function bucket(value, path) {
  const body = object(value, path);
  const at = time(body.at, `${path}.at`) ?? fail(`${path}.at`, "a time", body.at);
  /** @type {Partial<Counts>} */
  const counts = {};
  for (const name of COUNTERS) {
    if (body[name]) counts[name] = count(body[name], `${path}.${name}`);
  }
  return { at, version: count(body.version, `${path}.version`), counts };
}

/** @param {unknown} value @param {string} path @returns {Link} */
function link(value, path) {
  const body = object(value, path);
  return {
    url: string(body.url, `${path}.url`),
    version: count(body.version, `${path}.version`),
    clicks: count(body.clicks ?? 0, `${path}.clicks`),
    unique_clicks: count(body.unique_clicks ?? 0, `${path}.unique_clicks`),
    human_clicks: count(body.human_clicks ?? 0, `${path}.human_clicks`),
  };
}

/** @param {Record<string, unknown>} body @param {string} path @returns {Health} */
function health(body, path) {
  const queue = object(body.queue, `${path}.queue`);
  /** @param {unknown} value @param {string} name */
  const measured = (value, name) => (value === null ? null : count(value, `${path}.${name}`));
  return {
    checkedAt: time(body.checked_at, `${path}.checked_at`),
    lastEventAt: time(body.last_event_at, `${path}.last_event_at`),
    waiting: measured(queue.waiting, "queue.waiting"),
    oldestSeconds: measured(queue.oldest_seconds, "queue.oldest_seconds"),
    deadLetters: measured(body.dead_letters, "dead_letters"),
    lagSeconds: measured(body.stream_lag_seconds, "stream_lag_seconds"),
    quarantined: count(body.quarantined, `${path}.quarantined`),
    unknownTypes: count(body.unknown_types, `${path}.unknown_types`),
    untagged: count(body.untagged, `${path}.untagged`),
    untracked: list(body.untracked ?? undefined, `${path}.untracked`, string),
    pausedAt: time(body.paused_at, `${path}.paused_at`),
  };
}
