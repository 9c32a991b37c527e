import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { decode } from "../src/protocol.js";
import { ProtocolError } from "../src/validate.js";
import { bucket, message, push, snapshot, summary } from "./builders.js";

const MESSAGES = new URL("../../tests/messages/", import.meta.url);

for (const name of readdirSync(MESSAGES).filter((file) => file.endsWith(".json"))) {
  const example = JSON.parse(readFileSync(new URL(name, MESSAGES), "utf8"));
  if (example.direction === "request") continue;
  test(`the example ${example.name} is decoded`, () => {
    const read = message(example.message);

    if (example.direction === "push") assert.equal(read.kind, "push");
    else if (example.message.error) assert.equal(read.kind, "error");
    else if (example.message.snapshot) assert.equal(read.kind, "snapshot");
    else if (example.message.result) assert.equal(read.kind, "result");
    else assert.equal(read.kind, "reply");
    if (read.kind === "reply") assert.equal(read.requestId, example.message.request_id);
  });
}

test("a snapshot has the numbers, times and buckets of the message", () => {
  const { part } = snapshot({ ...summary(17, { sends: 5 }), timeline: { minute: [bucket("10:00", 4, { sends: 2, opens: 0 })] } });

  assert.ok(part.type === "campaign");
  assert.equal(part.summary?.version, 17);
  assert.equal(part.summary?.counts.sends, 5);
  assert.equal(part.summary?.rates.open, null);
  assert.equal(part.summary?.campaign.first_event_at, Date.UTC(2026, 10, 23, 10));
  assert.deepEqual(part.timeline.minute, [{ at: Date.UTC(2026, 10, 23, 10), version: 4, counts: { sends: 2 } }]);
  assert.deepEqual(part.timeline.day, []);
});

test("a push of other parts has no summary", () => {
  const { part } = push({ links: [] });

  assert.ok(part.type === "campaign" && part.summary === null);
});

test("unknown members are not an error", () => {
  const { part } = push({ ...summary(1), forecast: [1], timeline: { week: [1], minute: [{ ...bucket("10:00", 1), mood: "good" }] } });

  assert.ok(part.type === "campaign" && part.timeline.minute.length === 1);
});

test("an error of API Gateway is decoded as a server error", () => {
  const read = message({ message: "Internal server error", connectionId: "Lx", requestId: "q" });

  assert.deepEqual(read, {
    kind: "error", requestId: null, action: null, error: { code: "internal", message: "Internal server error" },
  });
});

const UNREADABLE = /** @type {[string, unknown, RegExp][]} */ ([
  ["not an object", [1], /the message: expected an object, got \[1\]/],
  ["no action", { request_id: 1 }, /action: expected a string, got nothing/],
  ["a negative count", { id: "stats/email-campaign/a", changes: { ...summary(1, { opens: -1 }) } }, /changes\.counts\.opens: expected a non-negative integer, got -1/],
  ["a count with a fraction", { id: "stats/email-campaign/a", changes: { ...summary(1, { opens: 1.5 }) } }, /got 1\.5/],
  ["a bucket without a time", { id: "stats/email-campaign/a", changes: { timeline: { hour: [{ version: 1 }] } } }, /changes\.timeline\.hour\[0\]\.at: expected a string, got nothing/],
  ["an invalid time", { id: "stats/email-campaign/a", changes: { timeline: { hour: [{ at: "noon", version: 1 }] } } }, /expected an RFC 3339 time, got "noon"/],
  ["a link without a version", { id: "stats/email-campaign/a", changes: { links: [{ url: "https://a.example" }] } }, /changes\.links\[0\]\.version/],
  ["a rate that is not a number", { id: "stats/email-campaign/a", changes: { ...summary(1), rates: { open: "much" } } }, /changes\.rates\.open: expected a non-negative number or null/],
  ["links that are not an array", { id: "stats/email-campaign/a", changes: { links: {} } }, /changes\.links: expected an array, got \{\}/],
  ["an unknown topic", { id: "stats/mail", changes: {} }, /id: expected a supported topic, got "stats\/mail"/],
]);
for (const [what, frame, expected] of UNREADABLE) {
  test(`${what}: the error names the member and the value`, () => {
    assert.throws(() => decode(JSON.stringify(frame)), { name: "Error", message: expected });
  });
}

test("an error quotes a frame that is not JSON, truncated", () => {
  assert.throws(() => decode("Task timed out"), /the message: expected JSON, got "Task timed out"/);
  assert.throws(() => decode("x".repeat(5000)), (error) => error instanceof ProtocolError && error.message.length < 200);
});

test("the error for an unreadable reply has the ID of its request", () => {
  assert.throws(
    () => message({ request_id: 7, action: "subscribe", id: "stats/email-campaigns", snapshot: 1 }),
    (error) => error instanceof ProtocolError && error.requestId === 7,
  );
});

test("a reply with recipients has the total, their times, and whether the list is complete", () => {
  const example = JSON.parse(readFileSync(new URL("reply-recipients-of-an-earlier-release.json", MESSAGES), "utf8"));
  const read = message(example.message);

  assert.ok(read.kind === "reply" && read.page);
  assert.equal(read.page.total, 2);
  assert.equal(read.page.complete, false);
  assert.deepEqual(read.page.results[1], {
    recipient: "bob@example.net", message_id: "0100018f3c5a-bob", provider: "example.net", state: "bounced",
    sent_at: Date.UTC(2026, 10, 23, 10), last_at: Date.UTC(2026, 10, 23, 10, 0, 4),
  });
});

test("a reply with campaigns has the totals of all that match", () => {
  const example = JSON.parse(readFileSync(new URL("reply-campaigns-with-totals.json", MESSAGES), "utf8"));
  const read = message(example.message);

  assert.ok(read.kind === "reply" && read.page?.totals);
  assert.equal(read.page.total, 1);
  assert.equal(read.page.totals.counts.rejects, 1);
  assert.equal(read.page.totals.rates.delivery, null);
});
