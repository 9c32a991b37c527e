/** When an incident was, in words. */

import { text } from "./glossary.js";

/**
 * @param {import("./protocol.js").Incident} incident
 * @param {import("./format.js").Format} format
 * @returns {string | undefined} the date of its end only if it is another
 */
export function spanOf({ began_at, ended_at }, format) {
  const time = format.dateTime(began_at);
  if (ended_at === null) return text("incident.since", { time });
  return text("incident.span", { time, end: format.clock(ended_at, began_at) });
}
