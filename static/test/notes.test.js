import assert from "node:assert/strict";
import { test } from "node:test";
import { besideOf, fieldOf, momentOf, notesOf } from "../src/notes.js";

const AT = Date.parse("2026-11-23T10:30:00Z");
const LOCAL = Intl.DateTimeFormat().resolvedOptions().timeZone;

for (const zone of ["UTC", LOCAL]) {
  test(`a time that a form shows in ${zone} is the one that is sent`, () => {
    for (const at of [AT, Date.parse("2026-03-29T00:59:00Z"), Date.parse("2026-07-01T22:00:00Z")]) {
      assert.equal(Date.parse(momentOf(fieldOf(at, zone), zone)), at);
    }
  });
}

test("the field of a form has the time of UTC if the page has", () => {
  assert.equal(fieldOf(AT + 59_999, "UTC"), "2026-11-23T10:30");
  assert.equal(momentOf("2026-11-23T10:30", "UTC"), "2026-11-23T10:30:00Z");
});

test("a note lies on a chart from the beginning of its first bar until the end of its last one", () => {
  const seconds = AT / 1000;
  const beside = (/** @type {number} */ from, /** @type {number} */ to) => besideOf(AT, [seconds + from, seconds + to]);

  assert.deepEqual([beside(0, 60), beside(-60, 1)], [null, null]);
  assert.equal(beside(1, 60), "before");
  assert.equal(beside(-60, 0), "after");
});

test("notes are in the order of their times, without removed ones", () => {
  /** @param {string} note @param {number} at @param {string | null} text */
  const one = (note, at, text) => /** @type {const} */ ([note, { note, version: 1, at, text, by: null }]);
  const notes = new Map([one("c", 2, "second"), one("b", 1, "first of b"), one("d", 0, null), one("a", 1, "first of a")]);

  assert.deepEqual(notesOf({ notes }).map(({ text }) => text), ["first of a", "first of b", "second"]);
});
