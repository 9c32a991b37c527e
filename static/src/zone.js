/** The reader's choice between local time and UTC, which the browser keeps. */

const KEY = "mailpulse-zone";

/** @returns {string | undefined} "UTC", or undefined for the zone of the browser */
export function keptZone() {
  try {
    return localStorage.getItem(KEY) === "UTC" ? "UTC" : undefined;
  } catch {
    return undefined; // storage may be blocked
  }
}

/** @param {string | undefined} zone */
export function keepZone(zone) {
  try {
    if (zone) localStorage.setItem(KEY, zone);
    else localStorage.removeItem(KEY);
  } catch (error) {
    console.info("Cannot keep the time zone:", error);
  }
}
