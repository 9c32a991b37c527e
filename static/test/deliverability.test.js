import assert from "node:assert/strict";
import { test } from "node:test";
import { providersOf, recent, repliesOf, sumOf, troubles } from "../src/deliverability.js";
import { PROVIDER_COUNTERS } from "../src/protocol.js";

/** @typedef {import("../src/protocol.js").Provider} Provider */

/** @param {string} name @param {Partial<Provider>} counts @returns {Provider} */
const provider = (name, counts) =>
  /** @type {Provider} */ ({ provider: name, version: 1, ...Object.fromEntries(PROVIDER_COUNTERS.map((one) => [one, 0])), ...counts });

/** @param {Record<string, any[]>} parts @returns {any} */
const data = ({ providers = [], replies = [], undelivered = [] }) => ({
  providers: new Map(providers.map((one) => [one.provider, one])),
  replies: new Map(replies.map((one) => [`${one.status} ${one.text}`, one])),
  undelivered: new Map(undelivered.map((one) => [one.at, one])),
});

test("providers with the most sends come first, and all others last", () => {
  const some = [provider("other", { sends: 9 }), provider("Yahoo", { sends: 2 }), provider("Gmail", { sends: 5 }), provider("GMX", {})];

  assert.deepEqual(providersOf(data({ providers: some })).map((one) => one.provider), ["Gmail", "Yahoo", "other"]);
});

test("the campaign is the sum of its providers", () => {
  const all = sumOf([provider("Gmail", { sends: 5, complaints: 1 }), provider("other", { sends: 2 })]);

  assert.deepEqual([all.sends, all.complaints, all.hard_bounces], [7, 1, 0]);
});

for (const [says, one, rest, expected] of /** @type {[string, Partial<Provider>, Partial<Provider>, string[]][]} */ ([
  ["many more", { sends: 1000, hard_bounces: 60 }, { sends: 9000, hard_bounces: 90 }, ["hard_bounces"]],
  ["slightly more", { sends: 1000, hard_bounces: 13 }, { sends: 9000, hard_bounces: 90 }, []],
  ["fewer than ten cases", { sends: 20, soft_bounces: 9 }, { sends: 9000, soft_bounces: 9 }, []],
  ["fewer", { sends: 1000, soft_bounces: 10 }, { sends: 9000, soft_bounces: 900 }, []],
  ["more delays than emails", { sends: 100, delivery_delays: 300 }, { sends: 900, delivery_delays: 9 }, ["delivery_delays"]],
  ["no other provider", { sends: 1000, hard_bounces: 500 }, {}, []],
  ["emails that SES did not send", { sends: 1000, prevented: 940, hard_bounces: 30 }, { sends: 9000, hard_bounces: 270 }, ["hard_bounces"]],
])) {
  test(`${says}: ${expected.join() || "nothing"} is marked`, () => {
    const mine = provider("Yahoo", one);

    assert.deepEqual(troubles(mine, sumOf([mine, provider("Gmail", rest)])), expected);
  });
}

test("the recent delays and bounces are those of the last 15 minutes", () => {
  const minute = (/** @type {number} */ at, /** @type {number} */ delays) =>
    ({ at: at * 60_000, version: 1, providers: { Yahoo: { delivery_delays: delays, bounces: 1 } } });
  const found = recent(data({ undelivered: [minute(44, 100), minute(45, 10), minute(46, 3), minute(60, 4)] }), 60 * 60_000);

  assert.deepEqual([...found], [["Yahoo", { delivery_delays: 7, bounces: 2 }]]);
});

test("the 20 most frequent replies are shown, those without a count are not", () => {
  const replies = Array.from({ length: 30 }, (_, count) => ({ status: "5.1.1", text: `no. ${count}`, version: 1, count, providers: {}, cause: null }));

  assert.deepEqual(repliesOf(data({ replies })).map(({ count }) => count), Array.from({ length: 20 }, (_, place) => 29 - place));
  assert.equal(repliesOf(data({ replies: replies.slice(0, 3) })).length, 2);
});
