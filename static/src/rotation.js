/** What a wall screen shows, and for how long. Pure. */

import { MOST } from "./chosen.js";

/** A campaign that began within this time is shown without being named, in milliseconds. */
const RECENT = 86_400_000;

/** For how many seconds a campaign is shown. */
const EVERY = { least: 5, usual: 20, most: 300 };

/** A campaign with a running incident is shown for this many times as long. */
const LONGER = 2;

/**
 * One screen of the rotation. `name`: the campaign's ID, or the name of another screen; `incidents`: whether one is running;
 * `critical`: the running critical incidents.
 * @typedef {{name: string, incidents: boolean, critical: readonly string[]}} Frame
 * `name`: of the frame on the screen, null for none; `since`: when it appeared, in milliseconds since 1970; `seen`: the critical
 * incidents that have been on the screen.
 * @typedef {{name: string | null, since: number, seen: readonly string[]}} Rotation
 */

/** @type {Rotation} */
export const NOTHING = { name: null, since: 0, seen: [] };

/**
 * @param {string} query of a wall screen's URL, such as "every=30"
 * @returns {{every: number, problems: import("./parameters.js").Problem[]}} invalid parameters have no effect, and a problem each
 */
export function parseWall(query) {
  let every = EVERY.usual;
  /** @type {import("./parameters.js").Problem[]} */
  const problems = [];
  const seen = new Set();
  for (const [name, value] of new URLSearchParams(query)) {
    const isValid = /^\d{1,3}$/.test(value) && Number(value) >= EVERY.least && Number(value) <= EVERY.most;
    const problem = name !== "every" ? "wall.bad_unknown" : seen.has(name) ? "list.bad_repeated" : isValid ? null : "wall.bad_every";
    seen.add(name);
    if (problem) problems.push({ name, value, text: problem });
    else every = Number(value);
  }
  return { every, problems };
}

/** @param {number} every in seconds @returns {string} the query of a wall screen's URL; "" if it is the usual time */
export const wallQuery = (every) => (every === EVERY.usual ? "" : `?every=${every}`);

/**
 * The campaigns of a wall screen whose URL names none, without tests. Their order changes only when a campaign begins, or is a day old.
 * @param {Iterable<import("./protocol.js").Summary>} campaigns
 * @param {number} now in milliseconds since 1970
 * @returns {string[]} those of the last day, the one that began last first; if there are none, the newest campaign
 */
export function currentOf(campaigns, now) {
  const begun = [...campaigns].filter(({ campaign }) => !campaign.test)
    .map(({ campaign: { id, first_event_at: at } }) => ({ id, at: at ?? -Infinity }))
    .filter(({ at }) => at > -Infinity)
    .sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
  const recent = begun.filter(({ at }) => now - at < RECENT);
  return (recent.length ? recent.slice(0, MOST) : begun.slice(0, 1)).map(({ id }) => id);
}

/** @param {Frame} frame @param {number} every in seconds @returns {number} for how long it is shown, in milliseconds */
export const lengthOf = ({ incidents }, every) => every * 1000 * (incidents ? LONGER : 1);

/**
 * Turn to the next frame when the time of the current one is over. A critical incident that has not been on the screen yet is
 * next, and at once if the current frame has none.
 * @param {Rotation} rotation
 * @param {readonly Frame[]} frames
 * @param {{now: number, every: number, paused: boolean}} clock
 * @returns {Rotation}
 */
export function turned({ name, since, seen }, frames, { now, every, paused }) {
  const running = frames.flatMap(({ critical }) => critical);
  const known = seen.filter((one) => running.includes(one));
  const index = frames.findIndex((frame) => frame.name === name);
  const current = frames[index];
  // The clock may be set back, and a paused frame has all of its time again.
  const begun = paused ? now : Math.min(since, now);
  const over = !current || now - begun >= lengthOf(current, every);
  const urgent = paused && current ? undefined : frames.find(({ critical }) => critical.some((one) => !known.includes(one)));
  const next = urgent && urgent !== current && (over || current.critical.length === 0) ? urgent
    : over ? frames[(index + 1) % frames.length] : current;
  if (!next) return { ...NOTHING, since: now };
  return {
    name: next.name, since: next === current && !over ? begun : now,
    seen: [...new Set([...known, ...next.critical])],
  };
}

/**
 * @param {Rotation} rotation
 * @param {readonly Frame[]} frames
 * @param {number} by how many frames, backward if it is negative
 * @param {number} now in milliseconds since 1970
 * @returns {Rotation}
 */
export function stepped(rotation, frames, by, now) {
  const index = frames.findIndex(({ name }) => name === rotation.name);
  const next = frames[(index + by + frames.length) % frames.length];
  return next ? { ...rotation, name: next.name, since: now } : rotation;
}
