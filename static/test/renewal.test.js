import assert from "node:assert/strict";
import { test } from "node:test";
import { ResponseBodyError } from "oauth4webapi";
import { NoRefreshToken, Renewal } from "../src/renewal.js";

const LIFE = 3_600_000;

/** A page somebody has signed in to, on a machine whose clock is moved by hand. */
function page() {
  const it = {
    now: 0,
    /** @type {string[]} */
    done: [],
    /** @type {Error | null} */
    refusal: null,
    /** @type {Error | null} */
    unheard: null,
    session: {
      renewAt: LIFE * 0.8,
      async renew() {
        it.done.push("renew");
        if (it.refusal) throw it.refusal;
        it.session.renewAt = it.now + LIFE * 0.8;
      },
    },
  };
  const renewal = new Renewal(it.session, {
    authenticate: async () => {
      it.done.push("authenticate");
      if (it.unheard) throw it.unheard;
    },
    reconnect: () => it.done.push("reconnect"),
    end: () => it.done.push("end"),
  }, () => it.now);
  return Object.assign(it, {
    /** @param {number} now */
    async at(now) {
      it.now = now;
      it.done = [];
      await renewal.check();
      return it.done;
    },
  });
}

/** @param {number} status @param {string} error */
const answer = (status, error) => new ResponseBodyError("refused", { cause: { error }, response: new Response(null, { status }) });

test("a token is renewed when four fifths of its life are over, and the server is told", async () => {
  const it = page();

  assert.deepEqual(await it.at(LIFE * 0.79), []);
  assert.deepEqual(await it.at(LIFE * 0.8), ["renew", "reconnect", "authenticate"]);
  assert.deepEqual(await it.at(LIFE * 0.81), []);
});

test("a machine that wakes after hours renews at once, and connects with the new token", async () => {
  const it = page();

  assert.deepEqual(await it.at(LIFE * 9), ["renew", "reconnect", "authenticate"]);
});

test("a server that was not reached is told the token later", async () => {
  const it = page();
  it.unheard = new Error("offline");
  await it.at(LIFE * 0.8);

  assert.deepEqual(await it.at(LIFE * 0.8 + 1000), [], "not at once");
  it.unheard = null;
  assert.deepEqual(await it.at(LIFE * 0.8 + 5000), ["authenticate"]);
  assert.deepEqual(await it.at(LIFE * 0.8 + 9000), []);
});

for (const [what, refusal] of /** @type {[string, Error][]} */ ([
  ["no network", new TypeError("Failed to fetch")],
  ["a busy issuer", answer(429, "slow_down")],
  ["an issuer that fails", new Error("unexpected HTTP response status code")],
  ["no answer", new DOMException("timed out", "TimeoutError")],
])) {
  test(`${what} does not end a sign-in`, async () => {
    const it = page();
    it.refusal = refusal;
    assert.deepEqual(await it.at(LIFE * 0.8), ["renew"]);
    assert.deepEqual(await it.at(LIFE * 0.8 + 1000), []);

    it.refusal = null;
    assert.deepEqual(await it.at(LIFE * 0.8 + 5000), ["renew", "reconnect", "authenticate"]);
  });
}

for (const [what, refusal] of /** @type {[string, Error][]} */ ([
  ["an issuer that refuses", answer(400, "invalid_grant")],
  ["an issuer that gives nothing to renew with", new NoRefreshToken()],
])) {
  test(`${what} ends it, once`, async () => {
    const it = page();
    it.refusal = refusal;

    assert.deepEqual(await it.at(LIFE * 0.8), ["renew", "end"]);
    assert.deepEqual(await it.at(LIFE * 2), []);
  });
}
