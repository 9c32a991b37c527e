import assert from "node:assert/strict";
import { test } from "node:test";
import { Repeated } from "../src/repeated.js";

/** @param {(object | Error)[]} replies in this order */
function asking(...replies) {
  /** @type {any[]} */
  const requests = [];
  const repeated = new Repeated(
    async (request, onResult) => {
      requests.push(request);
      const reply = replies.shift();
      if (reply instanceof Error) throw reply;
      onResult(/** @type {any} */ (reply));
      return null;
    },
    { action: "compare", ids: ["a", "b"] }, (body) => body.value, () => {},
  );
  return { repeated, requests };
}
const failure = (/** @type {string} */ code) => Object.assign(new Error("no"), { code });

test("a request is repeated after its interval, and not before", async () => {
  const { repeated, requests } = asking({ value: 1 }, { value: 2 });

  await repeated.load(1000, 30_000);
  await repeated.load(30_999, 30_000);
  assert.equal(repeated.value, 1);
  await repeated.load(31_000, 30_000);

  assert.equal(repeated.value, 2);
  assert.deepEqual(requests, Array(2).fill({ action: "compare", ids: ["a", "b"], stream: false }));
});

test("a request without an interval is sent once", async () => {
  const { repeated, requests } = asking({ value: 1 });

  for (const now of [0, 1e9]) await repeated.load(now, Infinity);

  assert.equal(requests.length, 1);
});

test("after a transient error, the request is sent again, and the last value stays", async () => {
  const { repeated } = asking({ value: 1 }, failure("rate_limited"), { value: 2 });

  await repeated.load(0, 30_000);
  await repeated.load(30_000, 30_000);
  assert.deepEqual([repeated.value, repeated.error?.code, repeated.retryable], [1, "rate_limited", true]);
  await repeated.load(33_000, 30_000);

  assert.deepEqual([repeated.value, repeated.error], [2, null]);
});

test("after a permanent error, the request is not sent again", async () => {
  const { repeated, requests } = asking(failure("forbidden"));

  for (const now of [0, 30_000, 1e9]) await repeated.load(now, 30_000);

  assert.equal(requests.length, 1);
  assert.deepEqual([repeated.value, repeated.error], [null, { code: "forbidden", message: "no" }]);
});

test("a reply that cannot be decoded is an error", async () => {
  const repeated = new Repeated(
    async (_, onResult) => (onResult(/** @type {any} */ ({})), null), { action: "compare" },
    () => { throw new Error("campaigns: expected an array"); }, () => {},
  );

  await repeated.load(0, 30_000);

  assert.deepEqual(repeated.error, { code: "unreadable", message: "campaigns: expected an array" });
});

test("a request is not repeated while what it depends on is unchanged", async () => {
  const { repeated, requests } = asking({ value: 1 }, { value: 2 });

  for (const now of [0, 15_000, 30_000]) await repeated.load(now, 15_000, "1,1");
  assert.equal(requests.length, 1);
  await repeated.load(31_000, 15_000, "1,2");

  assert.equal(repeated.value, 2);
});

test("a change is requested after the interval, not at once", async () => {
  const { repeated, requests } = asking({ value: 1 }, { value: 2 });

  await repeated.load(0, 15_000, "1");
  for (const now of [1000, 14_999]) await repeated.load(now, 15_000, "2");
  assert.equal(requests.length, 1);
  await repeated.load(15_000, 15_000, "2");

  assert.equal(requests.length, 2);
});

test("after a transient error, an unchanged request is sent again", async () => {
  const { repeated } = asking(failure("internal"), { value: 1 });

  for (const now of [0, 3000]) await repeated.load(now, 15_000, "1");

  assert.equal(repeated.value, 1);
});
