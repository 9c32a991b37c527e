/**
 * The state of the page: `reduce(state, change) → state`. Pure; a state is immutable, so unchanged
 * parts are the same objects.
 *
 * Each part (summary, bucket, link, listed campaign) keeps the higher version, so pushes and
 * snapshot frames may arrive twice or in any order.
 */

import { GRAINS, LIST_TOPIC, PRECEDE_A_REPLY, keyOf } from "./protocol.js";
import { MOST_LINKS, OTHER, rankLinks } from "./links.js";

/**
 * @typedef {import("./protocol.js").Summary} Summary
 * @typedef {import("./protocol.js").Bucket} Bucket
 * @typedef {import("./protocol.js").Link} Link
 * @typedef {import("./protocol.js").Bounces} Bounces
 * @typedef {import("./protocol.js").Variant} Variant
 * @typedef {import("./protocol.js").Activity} Activity
 * @typedef {import("./protocol.js").Grain} Grain
 * @typedef {import("./protocol.js").Part} Part
 * @typedef {import("./protocol.js").CampaignPart} CampaignPart
 * @typedef {import("./protocol.js").ServerError} ServerError
 *
 * `may_share` is whether the viewer may share the campaign by link; null until the snapshot arrives, and in a share link.
 * `activity` has the newest events, newest first; null until the server has sent any.
 * `moved` is the number of opens and clicks that were reclassified from human to bot while the page
 * was open. `alarms` has the settings of the campaign, `defaults` those of all campaigns.
 * @typedef {{type: "campaign", summary: Summary | null,
 *            timeline: Record<Grain, ReadonlyMap<number, Bucket>>,
 *            links: ReadonlyMap<string, Link>, bounces: ReadonlyMap<string, Bounces>,
 *            variants: ReadonlyMap<string, Variant>,
 *            providers: ReadonlyMap<string, import("./protocol.js").Provider>,
 *            replies: ReadonlyMap<string, import("./protocol.js").ReplyClass>,
 *            undelivered: ReadonlyMap<number, import("./protocol.js").Undelivered>,
 *            devices: import("./protocol.js").Devices | null, pace: import("./protocol.js").Pace | null,
 *            incidents: ReadonlyMap<string, import("./protocol.js").Incident>, alarms: import("./protocol.js").Alarms | null,
 *            notes: ReadonlyMap<string, import("./protocol.js").Note>, may_share: boolean | null, activity: readonly Activity[] | null,
 *            defaults: import("./protocol.js").Alarms | null,
 *            moved: {opens: number, clicks: number}}} CampaignData
 * @typedef {{type: "list", campaigns: ReadonlyMap<string, Summary>, cursor: string | null}} ListData
 * @typedef {import("./protocol.js").HealthPart} HealthData
 * @typedef {CampaignData | ListData | HealthData} TopicData
 *
 * `shown` is what the page shows. `incoming` collects the snapshot of a new subscription, with the
 * pushes that overtake it, and replaces `shown` after the last frame. So a reconnect starts from the
 * snapshot, and the old numbers stay visible until it is complete.
 * @typedef {{shown: TopicData | null, incoming: TopicData | "awaited" | null,
 *            error: ServerError | null}} TopicState
 * @typedef {ReadonlyMap<string, TopicState>} State
 *
 * @typedef {import("./protocol.js").Snapshot | import("./protocol.js").Push
 *   | {kind: "subscribing", id: string}
 *   | {kind: "unsubscribed", id: string}
 *   | {kind: "refused", id: string, error: ServerError}} Change
 */

const HOUR = 3_600_000;

/** The number of newest events shown. */
const MOST_ACTIVITY = 8;

/** The values of a tag that are shown. */
export const MOST_VARIANTS = 20;

/** The width of a bucket in milliseconds. UTC days have no daylight saving time. */
export const STEP = { minute: 60_000, hour: HOUR, day: 24 * HOUR };

/** How far back the server keeps buckets, from the newest one, in milliseconds. */
export const WINDOW = { minute: 2 * HOUR, hour: 72 * HOUR, day: Infinity };

/** @type {State} */
export const EMPTY = new Map();

/**
 * @param {State} state
 * @param {Change} change
 * @returns {State}
 */
export function reduce(state, change) {
  const topic = state.get(change.id);
  switch (change.kind) {
    case "subscribing":
      return replace(state, change.id, { shown: topic?.shown ?? null, incoming: "awaited", error: null });
    case "unsubscribed":
      // The list is kept, so that going back shows it immediately.
      return change.id === LIST_TOPIC ? state : without(state, change.id);
    case "refused":
      return topic ? replace(state, change.id, { ...topic, error: change.error }) : state;
    case "push":
      return topic ? replace(state, change.id, merge(topic, change.part)) : state;
    case "snapshot": {
      if (!topic) return state;
      const merged = merge(topic, change.part);
      // A snapshot that replaces missed pushes does not complete a subscription.
      const complete = merged.incoming && !PRECEDE_A_REPLY.has(change.action) && !change.more;
      if (!complete) return replace(state, change.id, merged);
      const shown = followUp(topic.shown, /** @type {TopicData} */ (merged.incoming));
      return replace(state, change.id, { shown, incoming: null, error: null });
    }
  }
}

/** @param {State} state @param {string} id @param {TopicState} topic */
function replace(state, id, topic) {
  return new Map(state).set(id, topic);
}

/** @param {State} state @param {string} id */
function without(state, id) {
  const rest = new Map(state);
  rest.delete(id);
  return rest;
}

/**
 * @param {TopicState} topic
 * @param {Part} part
 * @returns {TopicState}
 */
function merge(topic, part) {
  if (topic.incoming) {
    const base = topic.incoming === "awaited" ? null : topic.incoming;
    return { ...topic, incoming: mergePart(base, part) };
  }
  return { ...topic, shown: mergePart(topic.shown, part) };
}

/**
 * @param {TopicData | null} data
 * @param {Part} part
 * @returns {TopicData}
 */
function mergePart(data, part) {
  switch (part.type) {
    case "list": {
      const known = data?.type === "list" ? data : { campaigns: new Map(), cursor: null };
      const campaigns = new Map(known.campaigns);
      for (const one of part.campaigns) campaigns.set(one.campaign.id, newerCampaign(campaigns.get(one.campaign.id) ?? one, one));
      return { type: "list", campaigns, cursor: part.cursor ?? known.cursor };
    }
    case "health":
      if (data?.type !== "health") return part;
      return { ...(data.version >= part.version ? data : part), results: latest(data.results, part.results), alarms: newerAlarms(data.alarms, part.alarms) };
    case "campaign":
      return mergeCampaign(data?.type === "campaign" ? data : emptyCampaign(), part);
  }
}

/**
 * Results have no version: of two, the one with the later time is the newer one.
 * @param {import("./protocol.js").Results | null | undefined} one
 * @param {import("./protocol.js").Results | null | undefined} other
 */
function latest(one, other) {
  if (!one || !other) return one ?? other;
  /** @param {keyof import("./protocol.js").Results} name */
  const later = (name) => (timeOf(other[name]) >= timeOf(one[name]) ? other : one)[name];
  return { reconciliation: later("reconciliation"), recounts: later("recounts") };
}

/** @param {any} result a comparison, or recounts, newest first */
const timeOf = (result) => String(result?.compared_at ?? result?.[0]?.at ?? "");

/**
 * @param {TopicData | null} before
 * @param {TopicData} data the new snapshot
 */
function followUp(before, data) {
  if (before?.type !== "campaign" || data.type !== "campaign") return data;
  return { ...data, moved: moved(before, data.summary) };
}

/** @param {CampaignData} before @param {Summary | null} after @returns {CampaignData["moved"]} */
function moved({ moved: sofar, summary }, after) {
  /** @param {"opens" | "clicks"} what */
  const of = (what) => {
    const [was, is] = [summary, after].map((one) => one?.counts[`human_${what}`] ?? 0);
    return sofar[what] + (after ? Math.max(0, Number(was) - Number(is)) : 0);
  };
  return { opens: of("opens"), clicks: of("clicks") };
}

/** @returns {CampaignData} */
function emptyCampaign() {
  return {
    type: "campaign",
    summary: null,
    timeline: { minute: new Map(), hour: new Map(), day: new Map() },
    links: new Map(),
    bounces: new Map(),
    variants: new Map(),
    providers: new Map(),
    replies: new Map(),
    undelivered: new Map(),
    devices: null,
    pace: null,
    incidents: new Map(),
    notes: new Map(),
    alarms: null,
    may_share: null,
    defaults: null,
    activity: null,
    moved: { opens: 0, clicks: 0 },
  };
}

/**
 * @param {CampaignData} data
 * @param {CampaignPart} part
 * @returns {CampaignData}
 */
function mergeCampaign(data, part) {
  const timeline = { ...data.timeline };
  for (const grain of GRAINS) {
    const merged = newer(timeline[grain], part.timeline[grain], (bucket) => bucket.at);
    if (merged !== timeline[grain]) timeline[grain] = within(merged, WINDOW[grain]);
  }
  const summary = part.summary;
  const fresh = summary && (!data.summary || summary.version > data.summary.version);
  return {
    type: "campaign",
    summary: fresh ? summary : data.summary,
    timeline,
    links: leading(newer(data.links, part.links.filter(({ id }) => id !== OTHER), ({ id }) => id)),
    bounces: newer(data.bounces, part.bounces, ({ type, subtype }) => `${type}/${subtype}`),
    variants: firstOfEach(data.variants, newer(data.variants, part.variants.filter(({ rest }) => !rest), ({ tag, value }) => `${tag}=${value}`)),
    providers: newer(data.providers, part.providers, ({ provider }) => provider),
    replies: newer(data.replies, part.replies, ({ status, text }) => `${status} ${text}`),
    undelivered: newer(data.undelivered, part.undelivered, ({ at }) => at),
    devices: newerOf(data.devices, part.devices),
    pace: newerOf(data.pace, part.pace),
    incidents: newer(data.incidents, part.incidents, ({ incident }) => incident),
    notes: newer(data.notes, part.notes, ({ note }) => note),
    alarms: newerAlarms(data.alarms, part.alarms.find(({ scope }) => scope === "campaign")),
    may_share: part.may_share ?? data.may_share,
    defaults: newerAlarms(data.defaults, part.alarms.find(({ scope }) => scope === "all")),
    activity: part.activity ? newest(data.activity ?? [], part.activity) : data.activity,
    moved: fresh ? moved(data, summary) : data.moved,
  };
}

/**
 * @template {{version: number}} T
 * @param {T | null} known
 * @param {T | null} received
 */
const newerOf = (known, received) => (received && received.version > (known?.version ?? -1) ? received : known);

/**
 * @param {import("./protocol.js").Alarms | null | undefined} known
 * @param {import("./protocol.js").Alarms | null | undefined} received
 */
function newerAlarms(known, received) {
  if (!received || (known && known.version > received.version)) return known ?? null;
  return { ...received, may_change: received.may_change ?? known?.may_change ?? null };
}

/**
 * Merge events by identity; of two with the same, the one received last replaces the other, because it
 * may have been reclassified.
 * @param {readonly Activity[]} known
 * @param {Activity[]} received
 */
function newest(known, received) {
  const merged = new Map([...known, ...received].map((one) => [keyOf(one), one]));
  return [...merged.entries()].sort(([a, { at: left }], [b, { at: right }]) => right - left || (a < b ? -1 : 1))
    .map(([, one]) => one).slice(0, MOST_ACTIVITY);
}

/**
 * @param {Summary} one
 * @param {Summary} other
 * @returns {Summary} that with the higher version, with the pace that has the higher version
 */
export function newerCampaign(one, other) {
  const [newer, older] = other.version > one.version ? [other, one] : [one, other];
  return (older.pace?.version ?? -1) > (newer.pace?.version ?? -1) ? { ...newer, pace: older.pace } : newer;
}

/**
 * @template {{version: number}} T
 * @template K
 * @param {ReadonlyMap<K, T>} known
 * @param {T[]} items
 * @param {(item: T) => K} key
 * @returns {ReadonlyMap<K, T>} `known` itself if nothing in `items` is newer
 */
function newer(known, items, key) {
  const fresh = items.filter((item) => (known.get(key(item))?.version ?? -1) < item.version);
  if (fresh.length === 0) return known;
  const merged = new Map(known);
  for (const item of fresh) {
    if ((merged.get(key(item))?.version ?? -1) < item.version) merged.set(key(item), item);
  }
  return merged;
}

/**
 * Drop the last links of a campaign with thousands. A link that is clicked again comes back with its
 * absolute counts.
 * @param {ReadonlyMap<string, Link>} links
 */
function leading(links) {
  if (links.size <= 2 * MOST_LINKS) return links;
  return new Map(rankLinks(links.values()).slice(0, MOST_LINKS).map((link) => [link.id, link]));
}

/**
 * Keep the first values of each tag in text order, as a snapshot does.
 * @param {ReadonlyMap<string, Variant>} before
 * @param {ReadonlyMap<string, Variant>} variants
 * @returns {ReadonlyMap<string, Variant>} sorted by tag and value
 */
function firstOfEach(before, variants) {
  if (variants === before) return before;
  /** @type {Record<string, number>} */
  const numbers = {};
  return new Map([...variants].sort(([a], [b]) => byCodePoint(a, b)).filter(([, { tag }]) => {
    numbers[tag] = (numbers[tag] ?? 0) + 1;
    return numbers[tag] <= MOST_VARIANTS;
  }));
}

/** Compare as Python does; JavaScript compares UTF-16 code units. @param {string} a @param {string} b */
function byCodePoint(a, b) {
  const [left, right] = [[...a], [...b]];
  const at = left.findIndex((one, index) => one !== right[index]);
  return at < 0 ? left.length - right.length : Number(left[at]?.codePointAt(0)) - (right[at]?.codePointAt(0) ?? -1);
}

/**
 * @param {ReadonlyMap<number, Bucket>} buckets
 * @param {number} window in milliseconds
 */
function within(buckets, window) {
  let newest = -Infinity;
  for (const bucket of buckets.values()) {
    if (bucket.at > newest && !isEmpty(bucket)) newest = bucket.at;
  }
  return new Map([...buckets].filter(([at]) => at > newest - window));
}

/**
 * A bucket whose counters are back to 0 is hidden, but kept: without its version, an older push
 * could restore it. The same applies to links.
 *
 * @param {Bucket} bucket
 */
export const isEmpty = (bucket) => Object.keys(bucket.counts).length === 0;
