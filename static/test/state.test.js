import assert from "node:assert/strict";
import { test } from "node:test";
import { notesOf } from "../src/notes.js";
import { ranked } from "../src/ranking.js";
import { bouncesOf, bucketsOf, defaultGrain, lately, linksOf } from "../src/select.js";
import { sendingOf } from "../src/sending.js";
import { EMPTY, reduce } from "../src/state.js";
import { TOPIC, bucket, link, listed, push, snapshot, summary } from "./builders.js";

/** @typedef {import("../src/state.js").Change} Change */

const LIST = "stats/email-campaigns";

/** @param {...Change} changes after the subscription */
const after = (...changes) => changes.reduce(reduce, reduce(EMPTY, { kind: "subscribing", id: TOPIC }));

/** @param {import("../src/state.js").State} state */
function campaign(state) {
  const shown = state.get(TOPIC)?.shown;
  assert.ok(shown?.type === "campaign");
  return shown;
}

/** @param {import("../src/state.js").State} state */
const opens = (state) => campaign(state).summary?.counts.opens;

test("nothing is shown before the snapshot is complete", () => {
  const state = after(snapshot(summary(1), { more: true }));

  assert.equal(state.get(TOPIC)?.shown, null);
});

test("frames of one snapshot are merged", () => {
  const state = after(
    snapshot({ ...summary(3, { opens: 2 }), timeline: { minute: [bucket("10:00", 1)] } }, { more: true }),
    snapshot({ timeline: { minute: [bucket("10:01", 1)] }, links: [link("https://a.example", 1, 1)] }),
  );

  assert.equal(opens(state), 2);
  assert.equal(bucketsOf(campaign(state), "minute").length, 2);
  assert.equal(linksOf(campaign(state)).length, 1);
});

test("only a push with a higher version replaces data", () => {
  const state = after(
    snapshot(summary(3, { opens: 3 })),
    push(summary(5, { opens: 5 })),
    push(summary(4, { opens: 4 })),
    push(summary(5, { opens: 99 })),
  );

  assert.equal(opens(state), 5);
});

test("only a newer pace replaces the pace", () => {
  /** @param {number} version */
  const pace = (version) => ({ pace: { version, campaigns: version, needed: 5 } });
  const state = after(snapshot({ ...summary(3), ...pace(2) }), push(pace(4)), push(pace(3)), push(summary(4)));

  assert.equal(campaign(state).pace?.campaigns, 4);
});

test("only a newer version replaces an incident, and others stay", () => {
  /** @param {string} incident @param {number} version @param {string | null} ended_at */
  const one = (incident, version, ended_at) => ({
    incidents: [{
      incident, version, kind: "bounces", level: "critical", began_at: "2026-11-23T10:03:00Z", ended_at,
      values: { affected: 92, total: 1000 }, snoozed: false,
    }],
  });
  const end = "2026-11-23T10:31:00Z";
  const state = after(snapshot({ ...summary(3), ...one("bounces", 1, null) }),
    push(one("bounces", 2, end)), push(one("bounces", 1, null)), push(one("no_opens", 1, null)));

  const { incidents } = campaign(state);
  assert.deepEqual([...incidents.keys()], ["bounces", "no_opens"]);
  assert.equal(incidents.get("bounces")?.ended_at, Date.parse(end));
});

test("a removed note stays removed, however late its earlier version arrives", () => {
  /** @param {string} note @param {number} version @param {string | null} text */
  const one = (note, version, text) => ({ notes: [{ note, version, at: "2026-11-23T10:03:00Z", text, by: text && "Ada" }] });
  const state = after(snapshot({ ...summary(3), ...one("a", 1, "Reminder sent") }),
    push(one("a", 2, null)), push(one("a", 1, "Reminder sent")), push(one("b", 1, "Link fixed")));

  assert.deepEqual([...campaign(state).notes.keys()], ["a", "b"]);
  assert.deepEqual(notesOf(campaign(state)).map(({ text }) => text), ["Link fixed"]);
});

test("settings of alarms are replaced by a higher version only, and the permission stays", () => {
  const quiet = { from: "22:00", to: "07:00", zone: "UTC+01:00", except_critical: true };
  /** @param {number} version @param {string[] | null} kinds @param {object} [members] */
  const one = (version, kinds, members) => ({
    alarms: [{ scope: "all", version: 9, kinds: null, snooze_until: null, quiet },
      { scope: "campaign", version, kinds, snooze_until: null, test: version > 1, ...members }],
  });
  const first = after(snapshot({ ...summary(3), ...one(1, null, { may_change: true }) }));
  const later = after(snapshot({ ...summary(3), ...one(1, null, { may_change: true }) }),
    push(one(3, [])), push(one(2, ["bounces"])));

  assert.deepEqual(campaign(first).alarms,
    { scope: "campaign", version: 1, kinds: null, snooze_until: null, test: false, may_change: true, quiet: null });
  assert.deepEqual(campaign(later).alarms,
    { scope: "campaign", version: 3, kinds: [], snooze_until: null, test: true, may_change: true, quiet: null });
  assert.deepEqual(campaign(later).defaults?.quiet, quiet);
});

test("a push of the pipeline without the settings of all alarms leaves them unchanged", () => {
  /** @param {number} version @param {object[]} [alarms] */
  const one = (version, alarms) => ({ $type: "Health", version, queue: {}, untracked: [], unsent: [], ...(alarms && { alarms }) });
  const settings = { scope: "all", version: 4, kinds: ["done"], snooze_until: null };
  const health = "stats/health";
  const changes = [one(8), one(9, [{ ...settings, version: 5, kinds: [] }]), one(10)].map((content) => push(content, health));
  const state = [snapshot(one(7, [{ ...settings, may_change: true }]), { id: health }), ...changes]
    .reduce(reduce, reduce(EMPTY, { kind: "subscribing", id: health }));

  const shown = state.get(health)?.shown;
  const alarms = shown?.type === "health" ? shown.alarms : null;
  assert.deepEqual([alarms?.version, alarms?.kinds, alarms?.may_change], [5, [], true]);
});

test("a listed campaign and its pace each keep the higher version", () => {
  /** @param {number} version @param {number | null} pace */
  const one = (version, pace) => ({
    $type: "CampaignList", campaigns: [{ ...listed("spring-sale", version, null), pace: pace && { version: pace } }],
  });
  const changes = [one(3, 2), one(5, 1), one(4, 3), one(2, null)].map((content) => push(content, LIST));
  const state = [snapshot(one(3, null), { id: LIST }), ...changes].reduce(reduce, reduce(EMPTY, { kind: "subscribing", id: LIST }));

  const shown = state.get(LIST)?.shown;
  const found = shown?.type === "list" ? shown.campaigns.get("spring-sale") : undefined;
  assert.deepEqual([found?.version, found?.pace?.version], [5, 3]);
});

test("a counter may decrease", () => {
  const state = after(snapshot(summary(3, { opens: 3 })), push(summary(4, { opens: 1 })));

  assert.equal(opens(state), 1);
});

test("every part has its own version", () => {
  const state = after(
    snapshot({ ...summary(9, { opens: 9 }), links: [link("https://a.example", 1, 1)] }),
    push({ links: [link("https://a.example", 2, 5)] }),
  );

  assert.equal(opens(state), 9);
  assert.equal(linksOf(campaign(state))[0]?.clicks, 5);
});

test("a push that overtakes the snapshot is not lost", () => {
  const state = after(push(summary(8, { opens: 8 })), snapshot(summary(7, { opens: 7 })));

  assert.equal(opens(state), 8);
});

test("after a reconnect, the old numbers are shown until the snapshot is complete", () => {
  const before = after(snapshot({ ...summary(40, { opens: 40 }), links: [link("https://a.example", 9, 9)] }));

  const waiting = [
    /** @type {Change} */ ({ kind: "subscribing", id: TOPIC }),
    snapshot(summary(2, { opens: 2 }), { more: true }),
  ].reduce(reduce, before);
  assert.equal(opens(waiting), 40);

  const state = reduce(waiting, snapshot({ links: [] }));
  assert.equal(opens(state), 2);
  assert.equal(linksOf(campaign(state)).length, 0);
});

test("a snapshot in response to a ping restores missed data and replaces no newer data", () => {
  const state = after(
    snapshot({ ...summary(3, { opens: 3 }), links: [link("https://a.example", 5, 5)] }),
    snapshot({ ...summary(4, { opens: 4 }), links: [link("https://a.example", 4, 4)] }, { action: "ping" }),
  );

  assert.equal(opens(state), 4);
  assert.equal(linksOf(campaign(state))[0]?.clicks, 5);
});

test("a snapshot in response to a ping does not complete a subscription's snapshot", () => {
  const state = after(
    snapshot({ links: [link("https://a.example", 1, 1)] }, { more: true }),
    snapshot(summary(4, { opens: 4 }), { action: "ping" }),
  );

  assert.equal(state.get(TOPIC)?.shown, null);
});

test("minutes are kept for two hours before the newest, hours for three days, days forever", () => {
  const state = after(snapshot({
    ...summary(1),
    timeline: {
      minute: [bucket("08:00", 1), bucket("08:01", 1), bucket("10:00", 1)],
      hour: [
        { ...bucket("00:00", 1), at: "2026-11-20T10:00:00Z" },
        { ...bucket("00:00", 1), at: "2026-11-20T11:00:00Z" },
        bucket("10:00", 1),
      ],
      day: [{ ...bucket("00:00", 1), at: "2020-01-01T00:00:00Z" }, bucket("00:00", 1)],
    },
  }));

  const starts = (/** @type {import("../src/protocol.js").Grain} */ grain) =>
    bucketsOf(campaign(state), grain).map(({ at }) => new Date(at).toISOString().slice(8, 16));
  assert.deepEqual(starts("minute"), ["23T08:01", "23T10:00"]);
  assert.deepEqual(starts("hour"), ["20T11:00", "23T10:00"]);
  assert.equal(starts("day").length, 2);
});

test("a push of a minute that is too old to be shown is dropped", () => {
  const state = after(
    snapshot({ timeline: { minute: [bucket("10:00", 1)] } }),
    push({ timeline: { minute: [bucket("07:59", 3)] } }),
  );

  assert.equal(bucketsOf(campaign(state), "minute").length, 1);
});

test("buckets and links whose counters are all 0 are hidden, and an old push does not restore them", () => {
  const state = after(
    snapshot({ timeline: { minute: [bucket("10:00", 1)] }, links: [link("https://a.example", 1, 1)] }),
    push({ timeline: { minute: [bucket("10:00", 3, {})] }, links: [link("https://a.example", 3, 0)] }),
    push({ timeline: { minute: [bucket("10:00", 2)] }, links: [link("https://a.example", 2, 2)] }),
  );

  assert.deepEqual(bucketsOf(campaign(state), "minute"), []);
  assert.deepEqual(linksOf(campaign(state)), []);
});

test("links are sorted by human clickers, then human clicks and URL, with unsubscribe links last", () => {
  /** @param {string} name @param {number} unique @param {number} human @param {object} some */
  const one = (name, unique, human, some = {}) => link(`https://${name}.example`, 1, 20, { unique_human_clicks: unique, human_clicks: human, ...some });
  const state = after(snapshot({ links: [
    one("d", 1, 9), one("u", 9, 9, { kind: "unsubscribe" }), one("c", 3, 3), one("b", 3, 4), one("a", 3, 3),
  ] }));

  assert.deepEqual(linksOf(campaign(state)).map(({ url }) => url.slice(8, 9)), ["b", "a", "c", "d", "u"]);
});

test("the row of other links has the clicks that the shown links lack, and is recomputed after a push", () => {
  const counted = (/** @type {number} */ version, /** @type {number} */ clicks) => summary(version, { clicks, human_clicks: 9, machine_clicks: 4 });
  const before = after(snapshot({
    ...counted(1, 30), links: [link("https://a.example", 1, 20, { human_clicks: 6 }), link("other", 1, 99)],
  }));
  const [, other] = linksOf(campaign(before));
  assert.deepEqual([other?.id, other?.clicks, other?.human_clicks, other?.unique_clicks], ["other", 10, 3, null]);

  const pushed = reduce(before, push({ ...counted(2, 31), links: [link("https://a.example", 2, 31)] }));
  assert.deepEqual(linksOf(campaign(pushed)).map(({ id }) => id), ["https://a.example"]);
});

test("links with the same URL and different ids are different rows", () => {
  const state = after(snapshot({ links: [link("https://a.example", 1, 1, { id: "1" }), link("https://a.example", 1, 2, { id: "2" })] }));

  assert.equal(linksOf(campaign(state)).length, 2);
});

test("a link without an id, of an earlier release, is identified by its URL", () => {
  const { id: _, kind: __, ...old } = link("https://a.example", 1, 1);
  const state = after(snapshot({ links: [old] }), push({ links: [{ ...old, version: 2, clicks: 2 }] }));

  assert.deepEqual(linksOf(campaign(state)).map(({ id, kind, clicks }) => [id, kind, clicks]), [["https://a.example", "link", 2]]);
});

test("at most 250 links are shown, and links beyond 500 are dropped", () => {
  const links = Array.from({ length: 600 }, (_, n) => link(`https://example.com/${n}`, 1, 1, { unique_human_clicks: n }));
  const state = after(snapshot({ ...summary(1, { clicks: 600 }), links }));

  const shown = linksOf(campaign(state));
  assert.equal(shown.length, 251);
  assert.deepEqual([shown[0]?.unique_human_clicks, shown[250]?.clicks], [599, 350]);
  assert.equal(campaign(state).links.size, 250);
});

test("counters of later releases are null until the campaign is recounted", () => {
  const body = summary(1);
  const { readers: _, ...earlier } = body.counts;
  const state = after(snapshot({
    ...body, campaign: { ...body.campaign, recount_needed: true }, counts: { ...earlier, prevented: null },
  }));

  const { counts, campaign: about } = campaign(state).summary ?? assert.fail("no summary");
  assert.deepEqual([counts.readers, counts.prevented, counts.unique_engaged, about.recount_needed], [null, null, 0, true]);
});

test("bounces come before automatic replies and emails that were not sent", () => {
  /** @param {string} subtype @param {number} count */
  const one = (subtype, count) => ({ type: "Transient", subtype, version: 1, count });
  const state = after(snapshot({ bounces: [one("OnAccountSuppressionList", 9), one("AutoReply", 8), one("General", 1), one("NewInSes", 2)] }));

  assert.deepEqual(bouncesOf(campaign(state)).map(({ subtype }) => subtype), ["NewInSes", "General", "AutoReply", "OnAccountSuppressionList"]);
});

test("campaigns are sorted by newest activity, and active campaigns by their start", () => {
  const now = Date.parse("2026-11-03T10:01:00Z");
  /** @param {string} id @param {string} first @param {string} last */
  const campaign = (id, first, last, some = {}) => ({ ...listed(id, 1, `2026-11-${first}:00Z`, some), last_event_at: `2026-11-${last}:00Z` });
  const state = [
    /** @type {Change} */ ({ kind: "subscribing", id: LIST }),
    snapshot({ campaigns: [
      campaign("old, active", "01T10:00", "03T10:00"),
      campaign("quiet for long", "02T10:00", "02T10:00"),
      campaign("quiet", "01T09:00", "03T08:00"),
    ] }, { id: LIST }),
    push({ campaigns: [campaign("new, active", "03T09:00", "03T10:00"), { ...campaign("quiet", "01T09:00", "03T08:00", { sends: 7 }), version: 2 }] }, LIST),
  ].reduce(reduce, EMPTY);

  const shown = state.get(LIST)?.shown;
  assert.ok(shown?.type === "list");
  assert.deepEqual(
    ranked(shown.campaigns.values(), now).map((item) => [item.campaign.id, item.counts.sends]),
    [["new, active", 0], ["old, active", 0], ["quiet", 7], ["quiet for long", 0]],
  );
});

test("the recent increase covers the last minutes, by the events' own times", () => {
  const data = campaign(after(snapshot({ ...summary(1, { opens: 12, clicks: 1 }), timeline: { minute: [
    bucket("10:00", 1, { opens: 9 }), bucket("10:06", 1, { opens: 2, clicks: 1 }), bucket("10:10", 1, { opens: 1 }),
  ] } })));

  assert.deepEqual(lately(data, Date.parse("2026-11-23T10:10:30Z")), { opens: 3, clicks: 1 });
  assert.deepEqual(lately(data, Date.parse("2026-11-23T11:00:00Z")), {});
});

test("the recent increase is never more than the counter, whose version may be older", () => {
  const data = campaign(after(
    snapshot(summary(1, { sends: 1102 })), push({ timeline: { minute: [bucket("10:10", 2, { sends: 1109, opens: 3 })] } }),
  ));

  assert.deepEqual(lately(data, Date.parse("2026-11-23T10:10:30Z")), { sends: 1102, opens: 0 });
});

test("the speed of sending is that since it began, and ends with it", () => {
  const data = campaign(after(snapshot({ ...summary(1, { sends: 300, opens: 9 }), timeline: { minute: [
    bucket("10:00", 1, { sends: 200 }), bucket("10:01", 1, { sends: 100 }), bucket("10:03", 1, { opens: 9 }),
  ] } })));
  /** @param {string} time */
  const sending = (time) => sendingOf(data, Date.parse(`2026-11-23T${time}Z`));

  const last = Date.parse("2026-11-23T10:01:00Z");
  assert.deepEqual(sending("10:00:40"), { last, rate: 300 });
  assert.deepEqual(sending("10:02:00"), { last, rate: 150 });
  assert.deepEqual(sending("10:04:00"), { last, rate: 0 });
  assert.deepEqual(sendingOf(campaign(after(snapshot(summary(1, {})))), last), { last: undefined, rate: 0 });
});

test("opens reclassified as bot opens are counted, from pushes and from the snapshot after a reconnect", () => {
  const before = after(snapshot(summary(1, { opens: 9, human_opens: 9 })));
  const pushed = reduce(before, push(summary(2, { opens: 9, human_opens: 6, machine_opens: 3 })));
  assert.deepEqual(campaign(pushed).moved, { opens: 3, clicks: 0 });

  const again = [
    /** @type {Change} */ ({ kind: "subscribing", id: TOPIC }),
    snapshot(summary(3, { opens: 10, human_opens: 5, machine_opens: 5 })),
  ].reduce(reduce, pushed);
  assert.deepEqual(campaign(again).moved, { opens: 4, clicks: 0 });
  assert.deepEqual(campaign(reduce(again, push(summary(1, { human_opens: 0 })))).moved, { opens: 4, clicks: 0 }, "an old push has no effect");
});

test("each bounce type has its own version", () => {
  /** @param {number} version @param {number} count */
  const full = (version, count) => ({ type: "Transient", subtype: "MailboxFull", version, count });
  const state = after(
    snapshot({ ...summary(1), bounces: [{ type: "Permanent", subtype: "NoEmail", version: 1, count: 9 }, full(2, 3)] }),
    push({ bounces: [full(3, 12)] }), push({ bounces: [full(1, 1)] }),
  );

  assert.deepEqual(bouncesOf(campaign(state)).map(({ subtype, count }) => [subtype, count]), [["MailboxFull", 12], ["NoEmail", 9]]);
});

test("each provider, reply and minute of delays has its own version", () => {
  const gmail = (/** @type {number} */ version, /** @type {number} */ sends) => ({ provider: "Gmail", version, sends });
  const full = (/** @type {number} */ version, /** @type {number} */ count) =>
    ({ status: "4.2.2", text: "Mailbox full", version, count, providers: { Gmail: count }, cause: "full" });
  const minute = (/** @type {number} */ version, /** @type {number} */ bounces) =>
    ({ at: "1970-01-01T00:01:00Z", version, providers: { Gmail: { delivery_delays: 0, bounces } } });
  const { providers, replies, undelivered } = campaign(after(
    snapshot({ ...summary(1), providers: [gmail(2, 5)], replies: [full(1, 1)], undelivered: [minute(1, 1)] }),
    push({ providers: [gmail(1, 3)], replies: [full(3, 4)], undelivered: [minute(2, 2)] }),
  ));

  assert.equal(providers.get("Gmail")?.sends, 5);
  assert.equal(replies.get("4.2.2 Mailbox full")?.count, 4);
  assert.equal(undelivered.get(60_000)?.providers.Gmail?.bounces, 2);
});

test("a refusal is kept alongside the numbers until the next snapshot", () => {
  const error = { code: "internal", message: "try again" };
  const refused = after(snapshot(summary(1, { opens: 1 })), { kind: "refused", id: TOPIC, error });
  assert.deepEqual(refused.get(TOPIC)?.error, error);
  assert.equal(opens(refused), 1);

  const again = reduce(refused, { kind: "subscribing", id: TOPIC });
  assert.equal(reduce(again, snapshot(summary(2))).get(TOPIC)?.error, null);
});

test("a campaign is dropped when it is unsubscribed, the list is kept, and late pushes are ignored", () => {
  const left = reduce(after(snapshot(summary(1))), { kind: "unsubscribed", id: TOPIC });
  assert.equal(left.size, 0);
  assert.equal(reduce(left, push(summary(2))).size, 0);

  const list = reduce(EMPTY, { kind: "subscribing", id: LIST });
  assert.equal(reduce(list, { kind: "unsubscribed", id: LIST }).size, 1);
});

test("a state is never modified", () => {
  const before = after(snapshot({ ...summary(1), links: [link("https://a.example", 1, 1)] }));
  const links = campaign(before).links;

  reduce(before, push({ ...summary(2, { opens: 1 }), links: [link("https://b.example", 1, 1)] }));

  assert.equal(opens(before), 0);
  assert.equal(links.size, 1);
});

test("the default bucket width is the finest that covers the campaign and has buckets", () => {
  const grains = ["2026-11-23T10:30:00Z", "2026-11-25T10:00:00Z", "2026-12-24T10:00:00Z"].map((last) => {
    const body = summary(1);
    body.campaign.last_event_at = last;
    const timeline = { minute: [bucket("10:00", 1)], hour: [bucket("10:00", 1)], day: [bucket("00:00", 1)] };
    return defaultGrain(campaign(after(snapshot({ ...body, timeline }))));
  });
  assert.deepEqual(grains, ["minute", "hour", "day"]);

  const withoutMinutes = after(snapshot({ ...summary(1), timeline: { hour: [bucket("10:00", 1)] } }));
  assert.equal(defaultGrain(campaign(withoutMinutes)), "hour");
});

test("a snapshot and pushes in any order and number merge into a fresh snapshot", () => {
  const random = seeded(7);
  for (let run = 0; run < 300; run += 1) {
    // A counting server: each step changes some parts and sends one push with them.
    /** @type {{summary: number, minutes: Map<string, [number, number]>, links: Map<string, [number, number]>}} */
    const server = { summary: 0, minutes: new Map(), links: new Map() };
    const full = () => ({
      ...summary(server.summary, { opens: server.summary }),
      timeline: { minute: [...server.minutes].map(([at, [version, n]]) => bucket(at, version, n ? { opens: n } : {})) },
      links: [...server.links].map(([url, [version, n]]) => link(url, version, n)),
    });
    const pushes = [];
    let taken = full();
    const steps = 1 + Math.floor(random() * 12);
    const takenAt = Math.floor(random() * steps);
    for (let step = 0; step < steps; step += 1) {
      server.summary += 1;
      const at = `10:0${Math.floor(random() * 5)}`;
      const url = `https://${"abc"[Math.floor(random() * 3)]}.example`;
      server.minutes.set(at, [(server.minutes.get(at)?.[0] ?? 0) + 1, Math.floor(random() * 4)]);
      server.links.set(url, [(server.links.get(url)?.[0] ?? 0) + 1, Math.floor(random() * 4)]);
      const now = full();
      pushes.push(push({
        ...summary(server.summary, { opens: server.summary }),
        timeline: { minute: now.timeline.minute.filter((item) => item.at.includes(at)) },
        links: now.links.filter((item) => item.url === url),
      }));
      if (step === takenAt) taken = full();
    }
    // The snapshot was taken at some step; all later pushes arrive, earlier ones may.
    const some = pushes.filter((_, index) => index > takenAt || random() < 0.5);
    const twice = some.filter(() => random() < 0.3);
    const order = shuffled([...some, ...twice, snapshot(taken)], random);

    const merged = campaign(after(...order));
    const fresh = campaign(after(snapshot(full())));
    assert.deepEqual(merged.summary, fresh.summary);
    assert.deepEqual(bucketsOf(merged, "minute"), bucketsOf(fresh, "minute"));
    assert.deepEqual(linksOf(merged), linksOf(fresh));
  }
});

/** @param {string} second @param {object} some other members */
const opened = (second, some = {}) => ({
  $type: "Activity", at: `2026-11-23T10:00:${second}.000Z`, type: "Open", message_id: `m-${second}`, engager: "human", ...some,
});

/** @param {import("../src/state.js").State} state */
const latestOf = (state) => campaign(state).activity?.map(({ message_id: id, engager }) => `${id} ${engager}`);

test("activity is merged by identity: the newest eight events, each as received last", () => {
  const seconds = ["01", "02", "03", "04", "05", "06", "07", "08", "09"];
  const state = after(
    snapshot({ ...summary(1), activity: seconds.slice(0, 8).reverse().map((second) => opened(second)) }),
    push({ ...summary(2), activity: [opened("09"), opened("08", { engager: "machine" })] }),
  );

  assert.deepEqual(latestOf(state), [
    "m-09 human", "m-08 machine", "m-07 human", "m-06 human", "m-05 human", "m-04 human", "m-03 human", "m-02 human",
  ]);
});

test("a push leaves whether the viewer may share a campaign as the snapshot says", () => {
  const known = after(snapshot({ ...summary(3), may_share: true }), push(summary(4)));

  assert.equal(campaign(known).may_share, true);
  assert.equal(campaign(after(snapshot(summary(3)))).may_share, null);
});

test("a push without activity, as of a share link, leaves what is known", () => {
  const known = after(snapshot({ ...summary(1), activity: [opened("01")] }), push(summary(2)));
  const shared = after(snapshot(summary(1)), push(summary(2)));

  assert.deepEqual(latestOf(known), ["m-01 human"]);
  assert.equal(campaign(shared).activity, null);
});

/** @param {number} seed @returns {() => number} fractions of 1, the same for the same seed */
function seeded(seed) {
  let value = seed;
  return () => {
    value = (value * 1_103_515_245 + 12_345) % 2_147_483_648;
    return value / 2_147_483_648;
  };
}

/** @template T @param {T[]} items @param {() => number} random */
function shuffled(items, random) {
  return items.map((item) => ({ item, key: random() })).sort((a, b) => a.key - b.key).map(({ item }) => item);
}
