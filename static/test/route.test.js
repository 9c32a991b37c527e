import assert from "node:assert/strict";
import { test } from "node:test";
import { activityHash, compareHash, recipientsHash, wallHash } from "../src/leader.js";
import { campaignHash, parseRoute } from "../src/route.js";

test("no hash and #/ lead to the list", () => {
  for (const hash of ["", "#", "#/"]) assert.deepEqual(parseRoute(hash), { view: "list", query: "" });
});

test("the list has a query, which may contain question marks", () => {
  assert.deepEqual(parseRoute("#/?q=why%3F?&sort=sends"), { view: "list", query: "q=why%3F?&sort=sends" });
});

for (const id of ["spring-sale", "a/b c", "50 % off", "Ünïcode ✉", "#?&"]) {
  test(`the campaign ${id} is encoded and decoded unchanged`, () => {
    assert.deepEqual(parseRoute(campaignHash(id)), { view: "campaign", id, query: "" });
  });
}

test("the chart of a campaign by age has a URL", () => {
  assert.deepEqual(parseRoute("#/campaign/a?age=human_clicks"), { view: "campaign", id: "a", query: "age=human_clicks" });
});

test("the list behind a counter has a URL that includes its filters", () => {
  const everything = { view: "activity", id: "50 % off", counter: "clicks", link: null, kind: null };

  assert.deepEqual(parseRoute(activityHash("50 % off", "clicks") ?? ""), everything);
  const link = "https://example.com/?a=1&b=%20#c";
  assert.deepEqual(parseRoute(activityHash("50 % off", "clicks", { link }) ?? ""), { ...everything, link });
  const kind = "Transient/MailboxFull";
  assert.deepEqual(parseRoute(activityHash("50 % off", "clicks", { kind }) ?? ""), { ...everything, kind });
});

test("the recipients have a URL that includes the state and the recipient", () => {
  const everyone = { view: "recipients", id: "50 % off", state: "all", recipient: null };

  assert.deepEqual(parseRoute(recipientsHash("50 % off") ?? ""), everyone);
  const choice = { state: "not_opened", recipient: "ada+50%@example.com&" };
  assert.deepEqual(parseRoute(recipientsHash("50 % off", choice) ?? ""), { ...everyone, ...choice });
});

test("a wall screen has a URL that names its campaigns in their order", () => {
  for (const ids of [[], ["a/b"], ["50 % off", "opens", "Ünïcode ✉"]]) {
    assert.deepEqual(parseRoute(wallHash(...ids) ?? ""), { view: "wall", ids, query: "" });
  }
  assert.deepEqual(parseRoute("#/wall?every=30"), { view: "wall", ids: [], query: "every=30" });
});

test("a comparison has a URL that names its campaigns in their order", () => {
  for (const ids of [[], ["a/b"], ["50 % off", "#?&", "Ünïcode ✉"]]) {
    assert.deepEqual(parseRoute(compareHash(ids) ?? ""), { view: "compare", ids, query: "" });
  }
});

test("an invalid hash leads to the unknown view", () => {
  for (const hash of ["#/campaign/", "#/wall/%", "#/wallx", "#/campaign/a/b/c", "#/nowhere", "#/campaign/%E0%A4%A", "#/compare/a/%", "#/comparex"]) {
    assert.deepEqual(parseRoute(hash), { view: "unknown" }, hash);
  }
});
