import assert from "node:assert/strict";
import { test } from "node:test";
import { tableOf, withoutHumans } from "../src/devices.js";

/** @param {string} device @param {string} client @param {number} opens @param {number} clicks */
const of = (device, client, opens, clicks) => ({ device, client, unique_human_opens: opens, unique_human_clicks: clicks });
/** @param {Record<string, number | null>} some */
const counts = (some) => /** @type {import("../src/protocol.js").Counts} */ (/** @type {unknown} */ (some));

test("mail programs are grouped by device, and what hides the device comes last", () => {
  const table = tableOf([of("proxy", "Gmail image proxy", 9, 0), of("desktop", "Chrome", 5, 1), of("phone", "Safari", 3, 2), of("desktop", "Edge", 1, 0)]);

  assert.deepEqual(table.devices.map(({ device, opens, clicks, rows }) => [device, opens, clicks, rows.length]),
    [["phone", 3, 2, 1], ["desktop", 6, 1, 2], ["proxy", 9, 0, 1]]);
  assert.deepEqual([table.opens, table.clicks], [18, 3]);
});

test("emails without humans are those of Apple's privacy proxy alone, and all others", () => {
  assert.deepEqual(withoutHumans(counts({ unique_engaged: 479, readers: 318, unique_private_opens: 140 })), { hidden: 140, bots: 21 });
});

test("emails without humans are not known of a campaign that an earlier release counted", () => {
  assert.equal(withoutHumans(counts({ unique_engaged: null, readers: null, unique_private_opens: null })), null);
  assert.equal(withoutHumans(undefined), null);
});
