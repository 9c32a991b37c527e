import assert from "node:assert/strict";
import { test } from "node:test";
import { ResponseBodyError } from "oauth4webapi";
import { NoRefreshToken, Renewal } from "../src/renewal.js";

const LIFE = 3_600_000;

/** A page with a signed-in user, on a computer whose clock is set by the test. */
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

test("a token is renewed after four fifths of its lifetime and sent to the server", async () => {
  const it = page();

  assert.deepEqual(await it.at(LIFE * 0.79), []);
  assert.deepEqual(await it.at(LIFE * 0.8), ["renew", "reconnect", "authenticate"]);
  assert.deepEqual(await it.at(LIFE * 0.81), []);
});

test("a computer that wakes after hours renews immediately and connects with the new token", async () => {
  const it = page();

  assert.deepEqual(await it.at(LIFE * 9), ["renew", "reconnect", "authenticate"]);
});

test("a token that could not be sent is sent later", async () => {
  const it = page();
  it.unheard = new Error("offline");
  await it.at(LIFE * 0.8);

  assert.deepEqual(await it.at(LIFE * 0.8 + 1000), [], "not immediately");
  it.unheard = null;
  assert.deepEqual(await it.at(LIFE * 0.8 + 5000), ["authenticate"]);
  assert.deepEqual(await it.at(LIFE * 0.8 + 9000), []);
});

for (const [what, refusal] of /** @type {[string, Error][]} */ ([
  ["no network", new TypeError("Failed to fetch")],
  ["a busy issuer", answer(429, "slow_down")],
  ["an issuer that fails", new Error("unexpected HTTP response status code")],
  ["no response", new DOMException("timed out", "TimeoutError")],
])) {
  test(`${what} does not end the sign-in`, async () => {
    const it = page();
    it.refusal = refusal;
    assert.deepEqual(await it.at(LIFE * 0.8), ["renew"]);
    assert.deepEqual(await it.at(LIFE * 0.8 + 1000), []);

    it.refusal = null;
    assert.deepEqual(await it.at(LIFE * 0.8 + 5000), ["renew", "reconnect", "authenticate"]);
  });
}

for (const [what, refusal] of /** @type {[string, Error][]} */ ([
  ["an issuer that rejects the refresh token", answer(400, "invalid_grant")],
  ["an issuer without refresh tokens", new NoRefreshToken()],
])) {
  test(`${what} ends the sign-in once`, async () => {
    const it = page();
    it.refusal = refusal;

    assert.deepEqual(await it.at(LIFE * 0.8), ["renew", "end"]);
    assert.deepEqual(await it.at(LIFE * 2), []);
  });
}
