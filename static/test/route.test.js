import assert from "node:assert/strict";
import { test } from "node:test";
import { campaignHash, parseRoute } from "../src/route.js";

test("no hash and #/ are the list", () => {
  for (const hash of ["", "#", "#/"]) assert.deepEqual(parseRoute(hash), { view: "list" });
});

for (const id of ["spring-sale", "a/b c", "50 % off", "Ünïcode ✉", "#?&"]) {
  test(`the campaign ${id} survives its address`, () => {
    assert.deepEqual(parseRoute(campaignHash(id)), { view: "campaign", id });
  });
}

test("what names nothing is unknown", () => {
  for (const hash of ["#/campaign/", "#/campaign/a/b", "#/nowhere", "#/campaign/%E0%A4%A"]) {
    assert.deepEqual(parseRoute(hash), { view: "unknown" }, hash);
  }
});
