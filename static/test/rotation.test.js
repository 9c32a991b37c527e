import assert from "node:assert/strict";
import { test } from "node:test";
import { NOTHING, currentOf, lengthOf, parseWall, stepped, turned, wallQuery } from "../src/rotation.js";

const HOUR = 3_600_000;
const NOW = Date.parse("2026-11-29T12:00:00Z");

/** @param {string} name @param {{incidents?: boolean, critical?: string[]}} [some] */
const frame = (name, { critical = [], incidents = critical.length > 0 } = {}) => ({ name, incidents, critical });
const FRAMES = ["a", "b", "c"].map((name) => frame(name));

/** @param {number} now @param {boolean} [paused] */
const clock = (now, paused = false) => ({ now, every: 20, paused });

/** Return the frames that are on the screen in each of these seconds. @param {import("../src/rotation.js").Frame[]} frames @param {number} seconds */
function shown(frames, seconds) {
  let rotation = NOTHING;
  const names = [];
  for (let second = 0; second < seconds; second++) {
    rotation = turned(rotation, frames, clock(NOW + 1000 * second));
    names.push(rotation.name);
  }
  return names;
}

/** @param {string} id @param {number | null} hoursAgo @returns {any} */
const campaign = (id, hoursAgo) => ({ campaign: { id, first_event_at: hoursAgo === null ? null : NOW - hoursAgo * HOUR } });

test("a test campaign is shown only if it is named", () => {
  /** @type {any} */
  const draft = { campaign: { ...campaign("draft", 1).campaign, test: true } };

  assert.deepEqual(currentOf([draft, campaign("spring", 2)], NOW), ["spring"]);
  assert.deepEqual(currentOf([draft], NOW), []);
});

test("each frame is on the screen for its time, in a circle", () => {
  const names = shown(FRAMES, 80);

  assert.deepEqual([0, 19, 20, 39, 40, 59, 60].map((second) => names[second]), ["a", "a", "b", "b", "c", "c", "a"]);
});

test("a campaign with a running incident is shown twice as long", () => {
  const names = shown([frame("a"), frame("b", { incidents: true })], 80);

  assert.equal(names.filter((name) => name === "b").length, 40);
  assert.equal(lengthOf(frame("b", { incidents: true }), 5), 10_000);
});

test("a campaign with a critical incident comes first", () => {
  assert.equal(shown([frame("a"), frame("b", { critical: ["x"] })], 1)[0], "b");
});

test("a critical incident that begins interrupts the rotation once", () => {
  let rotation = turned(NOTHING, FRAMES, clock(NOW));
  const alarmed = [frame("a"), frame("b"), frame("c", { critical: ["x"] })];

  rotation = turned(rotation, alarmed, clock(NOW + 3000));
  assert.equal(rotation.name, "c");
  rotation = turned(rotation, alarmed, clock(NOW + 43_000));
  assert.equal(rotation.name, "a");
  assert.equal(turned(rotation, alarmed, clock(NOW + 45_000)).name, "a");
});

test("a second critical incident waits until the first one has had its time", () => {
  const both = [frame("a"), frame("b", { critical: ["x"] }), frame("c", { critical: ["y"] })];
  const names = shown(both, 90);

  assert.deepEqual(names.slice(0, 40), new Array(40).fill("b"));
  assert.deepEqual(names.slice(40, 80), new Array(40).fill("c"));
  assert.equal(names[80], "a");
});

test("an incident that begins again interrupts again", () => {
  const alarmed = [frame("a"), frame("b", { critical: ["x"] })];
  let rotation = turned(turned(NOTHING, alarmed, clock(NOW)), FRAMES.slice(0, 2), clock(NOW + 1000));
  rotation = turned(rotation, FRAMES.slice(0, 2), clock(NOW + 30_000));
  assert.equal(rotation.name, "a");

  assert.equal(turned(rotation, alarmed, clock(NOW + 31_000)).name, "b");
});

test("a paused rotation keeps its frame, which then has all of its time", () => {
  let rotation = turned(NOTHING, FRAMES, clock(NOW));
  const alarmed = [frame("a"), frame("b", { critical: ["x"] }), frame("c")];
  rotation = turned(rotation, alarmed, clock(NOW + 100_000, true));
  assert.equal(rotation.name, "a");

  assert.equal(turned(rotation, FRAMES, clock(NOW + 119_000)).name, "a");
  assert.equal(turned(rotation, FRAMES, clock(NOW + 120_000)).name, "b");
});

test("when the campaign on the screen leaves, the first one is shown", () => {
  const rotation = { name: "c", since: NOW, seen: [] };

  assert.equal(turned(rotation, FRAMES.slice(0, 2), clock(NOW + 1000)).name, "a");
  assert.equal(turned(rotation, [], clock(NOW + 1000)).name, null);
});

test("a clock that is set back does not stop the rotation", () => {
  const rotation = turned({ name: "a", since: NOW + HOUR, seen: [] }, FRAMES, clock(NOW));

  assert.equal(turned(rotation, FRAMES, clock(NOW + 20_000)).name, "b");
});

test("a step leads to the next or the previous frame, in a circle", () => {
  const first = { name: "a", since: NOW - 19_000, seen: ["x"] };

  assert.deepEqual(stepped(first, FRAMES, 1, NOW), { name: "b", since: NOW, seen: ["x"] });
  assert.equal(stepped(first, FRAMES, -1, NOW).name, "c");
  assert.deepEqual(stepped(NOTHING, [], 1, NOW), NOTHING);
});

test("a URL sets for how long each campaign is shown", () => {
  assert.deepEqual(parseWall(""), { every: 20, problems: [] });
  for (const every of [5, 300]) assert.deepEqual(parseWall(`every=${every}`), { every, problems: [] });
  assert.equal(wallQuery(20), "");
  assert.equal(wallQuery(30), "?every=30");
});

for (const value of ["4", "301", "20.5", "-20", "", "twenty", "1e2"]) {
  test(`a time of “${value}” seconds is reported, and has no effect`, () => {
    assert.deepEqual(parseWall(`every=${value}`), { every: 20, problems: [{ name: "every", value, text: "wall.bad_every" }] });
  });
}

test("unknown and repeated parameters are reported", () => {
  assert.deepEqual(parseWall("every=30&every=40&speed=2"), {
    every: 30,
    problems: [{ name: "every", value: "40", text: "list.bad_repeated" }, { name: "speed", value: "2", text: "wall.bad_unknown" }],
  });
});

test("without names, campaigns of the last day are shown, the newest first", () => {
  const campaigns = [campaign("old", 24), campaign("b", 23.9), campaign("waiting", null), campaign("a", 1)];

  assert.deepEqual(currentOf(campaigns, NOW), ["a", "b"]);
});

test("without a campaign of the last day, the newest one is shown", () => {
  assert.deepEqual(currentOf([campaign("older", 90), campaign("old", 30)], NOW), ["old"]);
  assert.deepEqual(currentOf([campaign("waiting", null)], NOW), []);
});

test("at most six campaigns are shown", () => {
  const campaigns = [..."abcdefgh"].map((id, index) => campaign(id, index + 1));

  assert.deepEqual(currentOf(campaigns, NOW), [..."abcdef"]);
});
