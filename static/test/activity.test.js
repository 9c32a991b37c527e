import assert from "node:assert/strict";
import { test } from "node:test";
import { LISTED, filterOf } from "../src/activity.js";
import { COUNTERS } from "../src/protocol.js";

test("every counter except sends and deliveries has a list", () => {
  const listed = COUNTERS.filter((counter) => filterOf({ counter }));

  assert.deepEqual(COUNTERS.filter((counter) => !listed.includes(counter)), ["sends", "deliveries"]);
  assert.ok(LISTED.includes("all"));
  assert.equal(filterOf({ counter: "nonsense" }), null);
});

test("a list contains only the events that its counter counts", () => {
  assert.deepEqual(filterOf({ counter: "machine_opens" }), { limits: { type: "Open", engager: "machine" }, once: false });
  assert.deepEqual(filterOf({ counter: "unique_human_clicks", link: "https://example.com/" }), {
    limits: { type: "Click", engager: "human", link: "https://example.com/" }, once: true,
  });
  assert.deepEqual(filterOf({ counter: "soft_bounces", kind: "Transient/MailboxFull" }), {
    limits: { type: "Bounce", bounce_type: "Transient", bounce_subtype: "MailboxFull" }, once: false,
  });
});
