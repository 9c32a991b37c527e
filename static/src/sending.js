/** How fast a campaign is sent. Pure. */

import { LATELY, bucketsOf, lately } from "./select.js";

const MINUTE = 60_000;

/**
 * @param {import("./state.js").CampaignData} data
 * @param {number} now in milliseconds since 1970
 * @returns {{last: number | undefined, rate: number}} `last`: the minute of the last sends; `rate`: the emails sent per minute
 *   since sending began, at most in the last minutes; 0 once two minutes have been without sends
 */
export function sendingOf(data, now) {
  const minutes = bucketsOf(data, "minute").filter(({ counts }) => counts.sends);
  const last = minutes.at(-1)?.at;
  const first = minutes.find(({ at }) => at > now - LATELY * MINUTE)?.at ?? now;
  const isRunning = last !== undefined && last > now - 3 * MINUTE;
  return { last, rate: isRunning ? (lately(data, now).sends ?? 0) / Math.max(1, (now - first) / MINUTE) : 0 };
}
