/**
 * Decodes and validates the messages of the WebSocket, with the server's names. Pure.
 * `connection.js` passes frames in; `state.js` processes the result.
 *
 * Strict about the members that the page uses; unknown members are ignored, because the server may
 * add members, but never renames one.
 */

import {
  byName,
 ProtocolError, count, counter, fail, flag, identifier, list, object, optional, rate, shape, string, time,
} from "./validate.js";

/** Counters that are null until a campaign that an earlier release counted is recounted. */
export const LATER_COUNTERS = /** @type {const} */ ([
  "readers", "unique_engaged", "unique_private_opens", "prevented", "complaints_not_spam", "complaints_prevented",
]);

const FIRST_COUNTERS = /** @type {const} */ ([
  "sends", "deliveries", "delivery_delays",
  "opens", "unique_opens", "human_opens", "unique_human_opens", "machine_opens",
  "clicks", "unique_clicks", "human_clicks", "unique_human_clicks", "machine_clicks",
  "hard_bounces", "soft_bounces", "undetermined_bounces",
  "complaints", "rejects", "rendering_failures", "unsubscribes",
]);

/** Counters of a campaign; non-negative integers. */
export const COUNTERS = /** @type {const} */ ([...FIRST_COUNTERS, ...LATER_COUNTERS]);

/** Counters of a mailbox provider. */
export const PROVIDER_COUNTERS = /** @type {const} */ ([
  "sends", "deliveries", "delivery_delays", "hard_bounces", "soft_bounces", "undetermined_bounces", "prevented",
  "complaints", "unique_human_opens", "unique_human_clicks",
]);

/** Rates of a campaign: fractions of 1, null where the denominator is 0 or smaller than the numerator. */
export const RATES = /** @type {const} */ ([
  "delivery", "bounce", "open", "human_open", "read", "read_observable",
  "click", "human_click", "click_to_open", "human_click_to_open", "complaint", "unsubscribe",
]);

/** Bucket widths of the timeline. */
export const GRAINS = /** @type {const} */ (["minute", "hour", "day"]);

/** Kinds of bots, in the order in which they are shown. */
export const KINDS_OF_BOTS = /** @type {const} */ ([
  "privacy_proxy", "prefetch", "security_scanner", "declared_bot", "other",
]);

/** Actions that return the snapshots that the viewer missed, and then a reply. */
export const PRECEDE_A_REPLY = new Set(["ping", "attend"]);

export const LIST_TOPIC = "stats/email-campaigns";
export const HEALTH_TOPIC = "stats/health";
const CAMPAIGN_TOPIC = "stats/email-campaign/";

/** @param {string} id the campaign's id */
export const campaignTopic = (id) => CAMPAIGN_TOPIC + id;

/**
 * @typedef {typeof COUNTERS[number]} Counter
 * @typedef {typeof RATES[number]} RateName
 * @typedef {typeof GRAINS[number]} Grain
 * @typedef {Record<typeof FIRST_COUNTERS[number], number> & Record<typeof LATER_COUNTERS[number], number | null>} Counts
 * @typedef {Record<RateName, number | null>} Rates
 *
 * Times are milliseconds since 1970, UTC; null if there was no event yet.
 * @typedef {ReturnType<typeof about>} Campaign
 * The parts that the top-level version covers.
 * Opens and clicks by kind of bot, and how SES's label compares with the class.
 * @typedef {{kinds: Record<typeof KINDS_OF_BOTS[number], {opens: number, clicks: number}>,
 *            ses_label: {agree: number, differ: number, absent: number}}} Bots
 * `bots` is null in the list, and from a server of an earlier release. `pace` is only in the list, with a
 * version of its own.
 * @typedef {{version: number, campaign: Campaign, counts: Counts, rates: Rates, bots: Bots | null,
 *            pace?: ListedPace | null}} Summary
 * @typedef {Pick<Pace, "version" | "human_opens" | "human_clicks">} ListedPace
 * Counters that are 0 are omitted.
 * @typedef {{at: number, version: number, counts: Partial<Record<Counter, number>>}} Bucket
 * @typedef {Omit<ReturnType<typeof linkMembers>, "id" | "kind"> & {id: string, kind: string}} Link
 * The number of bounces of one SES bounce type and subtype.
 * @typedef {ReturnType<typeof bounces>} Bounces
 * What a campaign counts at one mailbox provider.
 * @typedef {{provider: string, version: number} & Record<typeof PROVIDER_COUNTERS[number], number>} Provider
 * A class of SMTP replies; `cause` is a key of the glossary.
 * @typedef {ReturnType<typeof reply>} ReplyClass
 * Human opens and clicks by device and mail program.
 * @typedef {ReturnType<typeof devices>} Devices
 * The delays and bounces of one minute by provider.
 * @typedef {ReturnType<typeof undelivered>} Undelivered
 * The emails with a value of a message tag; `rest` if it is all emails besides those of the other rows.
 * @typedef {ReturnType<typeof variant>} Variant
 * A problem of a campaign; `ended_at` is null while it is running.
 * @typedef {ReturnType<typeof incident>} Incident
 * When alarms wait; null if that was not chosen. A server of an earlier release sends none.
 * @typedef {{from: string, to: string, zone: string, except_critical: boolean} | "none" | null} Quiet
 * The settings of alarms; `may_change` is null in a push.
 * @typedef {ReturnType<typeof alarms>} Alarms
 *
 * @typedef {{type: "campaign", summary: Summary | null, timeline: Record<Grain, Bucket[]>, variants: Variant[],
 *            links: Link[], bounces: Bounces[], providers: Provider[], replies: ReplyClass[],
 *            undelivered: Undelivered[], devices: Devices | null, pace: Pace | null, incidents: Incident[], notes: Note[], alarms: Alarms[],
 *            may_share: boolean | null, activity: Activity[] | null}} CampaignPart `may_share`: null in a push
 * A note on the timeline of a campaign; `text` is null if it was removed.
 * @typedef {ReturnType<typeof note>} Note
 * How a campaign does for its age; `needed` campaigns are missing, or null.
 * @typedef {ReturnType<typeof pace>} Pace
 * `cursor` of the campaigns that a snapshot leaves out; null if there are none, and in a push.
 * @typedef {{type: "list", campaigns: Summary[], cursor: string | null}} ListPart
 * Values that have not been measured yet are null.
 * @typedef {ReturnType<typeof health>} Health
 * Delays and results are validated by the view of the pipeline, which alone shows them (pipeline.js). Pushes without
 * `results` leave the known ones unchanged.
 * @typedef {{type: "health", version: number, health: Health, delays?: unknown, results?: Results | null,
 *            alarms?: Alarms | null}} HealthPart `alarms`: the settings of all campaigns
 * @typedef {{reconciliation: unknown, recounts: unknown}} Results
 * @typedef {CampaignPart | ListPart | HealthPart} Part
 *
 * @typedef {string | number | null} RequestId
 * @typedef {{code: string, message: string}} ServerError
 * @typedef {{kind: "snapshot", requestId: RequestId, action: string, id: string, part: Part,
 *            more: boolean}} Snapshot
 * @typedef {{kind: "push", id: string, part: Part}} Push
 * @typedef {{kind: "error", requestId: RequestId, action: string | null,
 *            error: ServerError}} ErrorReply
 * One event of a campaign; members that do not apply to its type are null.
 * @typedef {ReturnType<typeof activity>} Activity
 * Deliveries and human opens over time, for a sparkline.
 * @typedef {ReturnType<typeof campaignTimeline>} CampaignTimeline
 * An email to a recipient; `state` is `not_opened`, `opened`, `clicked` or `bounced`.
 * @typedef {ReturnType<typeof recipient>} Recipient
 * One result of a request.
 * @typedef {Activity | Summary | CampaignTimeline | Recipient} Result
 * @typedef {{kind: "result", requestId: RequestId, result: Result}} ResultReply
 * The sums of several campaigns, and their rates.
 * @typedef {{counts: Totals, rates: Rates}} Sums
 * @typedef {Record<Counter, number | null>} Totals
 * Several results; `total` and `totals` of the whole list if they are known, the number of test campaigns that match and are
 * left out, and whether the list is `complete`.
 * @typedef {{results: Result[], total: number | null, totals: Sums | null, hidden_tests: number, complete: boolean}} ResultPage
 * The end of a response, or a page of a stream, or a frame of several if there is `more`; `cursor` if
 * there are more pages. `body` is the whole message, for the view that decodes it.
 * @typedef {{kind: "reply", requestId: RequestId, action: string, cursor: string | null,
 *            page: ResultPage | null, more: boolean, body: Record<string, unknown>}} Reply
 * @typedef {Snapshot | Push | ErrorReply | ResultReply | Reply} Message
 */

/** @param {readonly string[]} names @param {import("./validate.js").Check<any>} check */
const each = (names, check) => shape(Object.fromEntries(names.map((name) => [name, check])));

const about = shape({
  id: string, title: string, subject: optional(string), sender: optional(string), tags: optional(list(string)), test: flag,
  first_event_at: optional(time), last_event_at: optional(time), recount_needed: flag,
});
const linkMembers = shape({
  id: optional(string), url: string, label: optional(string), kind: optional(string), version: count, clicks: counter,
  unique_clicks: optional(count), human_clicks: counter, unique_human_clicks: optional(count), machine_clicks: counter,
});
/** A server of an earlier release sends no id. @type {import("./validate.js").Check<Link>} */
const link = (value, path) => {
  const { id, kind, ...members } = linkMembers(value, path);
  return { ...members, id: id ?? members.url, kind: kind ?? "link" };
};
const opensAndClicks = shape({ opens: count, clicks: count });
/** @type {import("./validate.js").Check<Bots>} */
const bots = shape({
  kinds: /** @type {import("./validate.js").Check<Bots["kinds"]>} */ (each(KINDS_OF_BOTS, opensAndClicks)), ses_label: shape({ agree: count, differ: count, absent: count }),
});
const expected = shape({ expected: count, low: count, high: count });
const paceNow = shape({ actual: count, expected: count, low: count, high: count });
const metrics = { version: count, human_opens: optional(paceNow), human_clicks: optional(paceNow) };
const pace = shape({
  ...metrics, campaigns: count, needed: optional(count),
  forecast: list(shape({ hours: count, human_opens: optional(expected), human_clicks: optional(expected) })),
});
const incident = shape({
  incident: string, version: count, kind: string, level: string, began_at: time, ended_at: optional(time), snoozed: flag,
  values: shape({ provider: optional(string), affected: count, total: count, since: optional(time) }),
});
const note = shape({ note: string, version: count, at: time, text: optional(string), by: optional(string) });
const alarms = shape({
  scope: string, version: count, kinds: optional(list(string)), snooze_until: optional(time), test: flag, may_change: optional(flag),
  quiet: (value) => /** @type {Quiet} */ (value ?? null),
});
const bounces = shape({ type: string, subtype: string, version: count, count });
const provider = /** @type {import("./validate.js").Check<Provider>} */ (
  shape({ provider: string, version: count, ...Object.fromEntries(PROVIDER_COUNTERS.map((name) => [name, counter])) }));
const reply = shape({
  status: string, text: string, version: count, count, providers: byName(count), cause: optional(string),
});
const undelivered = shape({
  at: time, version: count, providers: byName(shape({ delivery_delays: count, bounces: count })),
});
const devices = shape({
  version: count, classes: list(shape({ device: string, client: string, unique_human_opens: count, unique_human_clicks: count })),
});
const health = shape({
  checked_at: optional(time), last_event_at: optional(time), paused_at: optional(time),
  queue: shape({ waiting: optional(count), oldest_seconds: optional(count) }),
  dead_letters: optional(count), stream_lag_seconds: optional(count),
  quarantined: counter, unknown_types: counter, untagged: counter, untracked: list(string), unsent: list(string),
});
const activity = shape({
  at: time, type: string, message_id: string, recipient: optional(string), link: optional(string),
  engager: optional(string), reason: optional(string), bounce_type: optional(string), detail: optional(string),
  subtype: optional(string), status: optional(string), diagnostic: optional(string), reporting_mta: optional(string),
  domain: optional(string), reported_recipient: optional(string), label: optional(string),
});
const recipient = shape({
  recipient: string, message_id: string, provider: optional(string), sent_at: time, state: string, last_at: time,
});
const grain = (/** @type {unknown} */ value, /** @type {string} */ path) =>
  GRAINS.find((one) => one === value) ?? fail(path, "minute, hour or day", value);
const campaignTimeline = shape({
  id: string, resolution: grain, buckets: list(shape({ at: time, deliveries: counter, human_opens: counter })),
});
const firstCounts = each(FIRST_COUNTERS, counter);
const laterCounts = each(LATER_COUNTERS, optional(count));
/** @type {import("./validate.js").Check<Counts>} */
export const counts = (value, path) => /** @type {Counts} */ ({ ...firstCounts(value, path), ...laterCounts(value, path) });
export const rates = /** @type {import("./validate.js").Check<Rates>} */ (each(RATES, optional(rate)));
const numbers = shape({ version: count, counts, rates });
const variant = shape({ tag: string, value: string, rest: flag, version: count, counts, rates });
/** @type {import("./validate.js").Check<Sums>} */
const sums = (value, path) => /** @type {Sums} */ (shape({ counts, rates })(value, path));
const serverError = shape({ code: string, message: string });

/** @type {import("./validate.js").Check<Bucket>} */
function bucket(value, path) {
  const { at, version, ...some } = each(["at", "version", ...COUNTERS], (one) => one)(value, path);
  return {
    at: time(at, `${path}.at`),
    version: count(version, `${path}.version`),
    counts: Object.fromEntries(Object.entries(some).filter(([, one]) => one).map(
      ([name, one]) => [name, count(one, `${path}.${name}`)],
    )),
  };
}
const timeline = shape({ minute: list(bucket), hour: list(bucket), day: list(bucket) });

const inList = shape({ version: count, counts, rates, pace: optional(shape(metrics)) });
/** In the list, the members of `campaign` are next to the numbers. @type {import("./validate.js").Check<Summary>} */
const listed = (value, path) => /** @type {Summary} */ (/** @type {unknown} */ ({ ...inList(value, path), campaign: about(value, path) }));

const RESULTS = /** @type {Record<string, import("./validate.js").Check<Result>>} */ ({
  Activity: activity, Campaign: listed, CampaignTimeline: campaignTimeline, Recipient: recipient,
});

/** @param {Activity} one @returns {string} a key that identifies the event */
export const keyOf = ({ at, type, message_id: id, link, recipient }) => [at, type, id, link, recipient].join("\n");

/** @type {import("./validate.js").Check<Result>} */
function result(value, path) {
  const { $type: type } = object(value, path);
  const check = RESULTS[String(type)] ?? fail(`${path}.$type`, "a supported type", type);
  return check(value, path);
}

const page = shape({ results: list(result), total: optional(count), totals: optional(sums), hidden_tests: counter, complete: flag });

/**
 * Decode one text frame.
 *
 * @param {string} text
 * @returns {Message}
 * @throws {ProtocolError} with the member, the expected type, and the value
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
    const action = optional(string)(frame.action, "action");
    return { kind: "error", requestId, action, error: serverError(frame.error, "error") };
  }
  if (frame.changes !== undefined) {
    const id = string(frame.id, "id");
    return { kind: "push", id, part: part(id, frame.changes, "changes") };
  }
  // If the function failed, API Gateway responds in its own format.
  if (frame.action === undefined && typeof frame.message === "string") {
    return { kind: "error", requestId, action: null, error: { code: "internal", message: frame.message } };
  }
  const action = string(frame.action, "action");
  if (frame.result !== undefined) {
    return { kind: "result", requestId, result: result(frame.result, "result") };
  }
  if (frame.snapshot === undefined) {
    const cursor = optional(string)(frame.cursor, "cursor");
    return {
      kind: "reply", requestId, action, cursor, page: frame.results === undefined ? null : page(frame, "the message"),
      more: frame.more === true, body: frame,
    };
  }
  const id = string(frame.id, "id");
  return { kind: "snapshot", requestId, action, id, part: part(id, frame.snapshot, "snapshot"), more: frame.more === true };
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
    return {
      type: "list", campaigns: list(listed)(body.campaigns, `${path}.campaigns`),
      cursor: optional(string)(body.cursor, `${path}.cursor`),
    };
  }
  if (topic === HEALTH_TOPIC) {
    const { delays, reconciliation, recounts } = body;
    return {
      type: "health", version: count(body.version, `${path}.version`), health: health(body, path), delays,
      alarms: list(alarms)(body.alarms, `${path}.alarms`)[0],
      results: reconciliation === undefined ? null : { reconciliation, recounts },
    };
  }
  if (!topic.startsWith(CAMPAIGN_TOPIC)) return fail("id", "a supported topic", topic);
  return {
    type: "campaign",
    summary: body.counts === undefined ? null
      : /** @type {Summary} */ ({
        ...numbers(body, path), campaign: about(body.campaign, `${path}.campaign`),
        bots: optional(bots)(body.bots, `${path}.bots`),
      }),
    timeline: timeline(body.timeline ?? {}, `${path}.timeline`),
    links: list(link)(body.links, `${path}.links`),
    bounces: list(bounces)(body.bounces, `${path}.bounces`),
    variants: list(variant)(body.variants, `${path}.variants`),
    providers: list(provider)(body.providers, `${path}.providers`),
    replies: list(reply)(body.replies, `${path}.replies`),
    undelivered: list(undelivered)(body.undelivered, `${path}.undelivered`),
    devices: optional(devices)(body.devices, `${path}.devices`),
    pace: optional(pace)(body.pace, `${path}.pace`),
    incidents: list(incident)(body.incidents, `${path}.incidents`),
    notes: list(note)(body.notes, `${path}.notes`),
    alarms: list(alarms)(body.alarms, `${path}.alarms`),
    may_share: optional(flag)(body.may_share, `${path}.may_share`),
    activity: body.activity === undefined ? null : list(activity)(body.activity, `${path}.activity`),
  };
}
