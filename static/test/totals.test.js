import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { decode } from "../src/protocol.js";
import { ratesOf } from "../src/rates.js";
import { isOfEarlierRelease, sumOf } from "../src/totals.js";
import { counts, rates } from "./builders.js";

/** @param {Record<string, number | null>} some @returns {any} */
const campaign = (some) => ({ counts: { ...counts(), ...some }, rates: rates() });

test("the sums have the rates of the sums", () => {
  const { counts: sums, rates: shares } = sumOf([
    campaign({ sends: 100, prevented: 20, deliveries: 60, readers: 30, complaints: 6 }),
    campaign({ sends: 20, deliveries: 20, readers: 10 }),
  ]);

  assert.equal(sums.sends, 120);
  assert.equal(shares.delivery, 80 / 100);
  assert.equal(shares.read, 0.5);
  assert.equal(shares.complaint, 6 / 80);
  assert.equal(shares.unsubscribe, 0);
});

test("no campaigns have no rates", () => {
  const { counts: sums, rates: shares } = sumOf([]);

  assert.equal(sums.sends, 0);
  assert.deepEqual(new Set(Object.values(shares)), new Set([null]));
});

test("a number that is unknown for one campaign is unknown for all", () => {
  const some = sumOf([campaign({ sends: 4, deliveries: 3, readers: null, prevented: null }), campaign({ sends: 2, deliveries: 2, readers: 1 })]);

  assert.ok(isOfEarlierRelease(some));
  assert.equal(some.counts.sends, 6);
  assert.deepEqual([some.counts.readers, some.rates.read, some.rates.delivery, some.rates.bounce], [null, null, null, null]);
  assert.equal(some.rates.human_click, 0);
});

test("a rate above 1 is unknown", () => {
  assert.equal(ratesOf(/** @type {any} */ ({ ...counts(), sends: 3, deliveries: 5 })).delivery, null);
});

const MESSAGES = new URL("../../tests/messages/", import.meta.url);
test("the rates are those that the server computes", () => {
  let compared = 0;
  for (const name of readdirSync(MESSAGES)) {
    const { direction, message } = JSON.parse(readFileSync(new URL(name, MESSAGES), "utf8"));
    const read = direction === "reply" && message.results ? decode(JSON.stringify(message)) : null;
    const results = read?.kind === "reply" ? [...read.page?.results ?? [], read.page?.totals].filter((one) => one) : [];
    for (const one of results) {
      if (!one || !("counts" in one) || !("rates" in one) || one.counts.prevented === null) continue;
      const expected = /** @type {Record<string, number | null>} */ (one.rates);
      for (const [rate, value] of Object.entries(ratesOf(one.counts))) assert.equal(value, expected[rate], `${name}: ${rate}`);
      compared += 1;
    }
  }
  assert.ok(compared >= 4, `${compared} messages`);
});
