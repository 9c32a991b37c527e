import assert from "node:assert/strict";
import { test } from "node:test";
import { bouncedAfterDelivery, missingEvent, shownRate } from "../src/rates.js";
import { readRange } from "../src/read-range.js";
import { counts, summary } from "./builders.js";

/** @param {Record<string, number | null>} rates @param {Record<string, number>} some counters @returns {any} */
const campaign = (rates, some = {}) => ({ ...summary(1, some), rates });

test("the missing kind of event is named if there is no rate although something was counted", () => {
  assert.equal(missingEvent("delivery", campaign({ delivery: null }, { deliveries: 3 })), "Send");
  assert.equal(missingEvent("read", campaign({ read: null }, { readers: 3 })), "Delivery");
  assert.equal(missingEvent("read", campaign({ read: null })), null);
  assert.equal(missingEvent("read", campaign({ read: 0.1 }, { readers: 3 })), null);
  assert.equal(missingEvent("read", null), null);
});

test("a bounce rate of incomplete sends is not shown", () => {
  const incomplete = campaign({ delivery: null, bounce: 0.5 }, { sends: 4, deliveries: 9, hard_bounces: 2 });

  assert.equal(missingEvent("bounce", incomplete), "Send");
  assert.equal(shownRate("bounce", incomplete), null);
  assert.equal(shownRate("bounce", campaign({ delivery: 0.9, bounce: 0.5 }, { deliveries: 9 })), 0.5);
});

test("the range of the read rate goes from known readers to opens by anyone", () => {
  assert.deepEqual(readRange(campaign({ read: 0.2349, read_observable: 0.41, open: 0.6751 })), { least: 23, likely: 41, most: 68 });
  assert.deepEqual(readRange(campaign({ read: 0.3, read_observable: 0.4, open: 0.2 })), { least: 30, likely: 30, most: 30 });
  assert.deepEqual(readRange(campaign({ read: 0, read_observable: null, open: 1 })), { least: 0, likely: null, most: 100 });
  assert.equal(readRange(campaign({ read: null, read_observable: null, open: 0.2 })), null);
  assert.equal(readRange(null), null);
});

test("delivered and bounced emails that add up to more than sent ones bounced after delivery", () => {
  const all = (/** @type {Record<string, number>} */ some) => bouncedAfterDelivery(/** @type {any} */ (counts(some)));

  assert.ok(all({ sends: 10, deliveries: 10, hard_bounces: 1 }));
  assert.ok(!all({ sends: 11, prevented: 0, deliveries: 10, soft_bounces: 1 }));
  assert.ok(all({ sends: 11, prevented: 1, deliveries: 10, soft_bounces: 1 }));
  assert.ok(!all({ sends: 5, deliveries: 10, hard_bounces: 1 }), "sends are missing");
});
