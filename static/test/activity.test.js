import assert from "node:assert/strict";
import { test } from "node:test";
import { LISTED, filterOf } from "../src/activity.js";
import { COUNTERS } from "../src/protocol.js";

test("every counter has a list, except those of which only totals are stored", () => {
  const listed = COUNTERS.filter((counter) => filterOf({ counter }));

  assert.deepEqual(COUNTERS.filter((counter) => !listed.includes(counter)), ["sends", "deliveries", "unique_engaged", "unique_private_opens"]);
  assert.ok(LISTED.includes("all"));
  assert.equal(filterOf({ counter: "nonsense" }), null);
});

test("a list contains only the events that its counter counts", () => {
  /** @param {Parameters<typeof filterOf>[0]} route */
  const request = (route) => {
    const { limits, once } = filterOf(route) ?? assert.fail("not listed");
    return { limits, once };
  };
  assert.deepEqual(request({ counter: "machine_opens" }), { limits: { type: "Open", engager: "machine" }, once: false });
  assert.deepEqual(request({ counter: "readers" }), { limits: { engager: "human" }, once: true });
  assert.deepEqual(request({ counter: "unique_human_clicks", link: "https://example.com/" }), {
    limits: { type: "Click", engager: "human", link: "https://example.com/" }, once: true,
  });
  assert.deepEqual(request({ counter: "soft_bounces", kind: "Transient/MailboxFull" }), {
    limits: { type: "Bounce", bounce_type: "Transient", bounce_subtype: "MailboxFull" }, once: false,
  });
});

for (const [counter, event, counts] of /** @type {[string, object, boolean][]} */ ([
  ["hard_bounces", { detail: "NoEmail" }, true],
  ["hard_bounces", { detail: "OnAccountSuppressionList" }, false],
  ["prevented", { detail: "OnAccountSuppressionList" }, true],
  ["prevented", { detail: "Suppressed" }, false],
  ["complaints", { detail: "abuse", subtype: null }, true],
  ["complaints", { detail: "not-spam", subtype: null }, false],
  ["complaints", { detail: null, subtype: "OnAccountSuppressionList" }, false],
  ["complaints_not_spam", { detail: "not-spam", subtype: null }, true],
  ["complaints_prevented", { detail: null, subtype: "OnAccountSuppressionList" }, true],
  ["soft_bounces", { detail: "General" }, true],
])) {
  test(`${JSON.stringify(event)} is ${counts ? "" : "not "}one of the ${counter}`, () => {
    assert.equal(filterOf({ counter })?.counts(/** @type {any} */ (event)), counts);
  });
}

test("a list of one kind of bounce contains all that the server returns", () => {
  assert.ok(filterOf({ counter: "hard_bounces", kind: "Permanent/OnAccountSuppressionList" })?.counts(/** @type {any} */ ({ detail: "OnAccountSuppressionList" })));
});
