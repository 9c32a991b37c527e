/** The page of a share link: one campaign, without sign-in. */

import { text } from "./glossary.js";
import { standAlone } from "./leader.js";
import { start } from "./start.js";

/**
 * Refused handshakes in a row, in about half a minute, after which the link counts as invalid. A browser does not tell a
 * page why a handshake was refused: API Gateway also refuses some if many pages connect at once, after an outage.
 */
const MOST_REFUSALS = 8;

/** @param {string} token of the share link */
export function showShared(token) {
  /** @type {any} */
  const { content } = document.getElementById("brand");
  content.querySelector("a").removeAttribute("href");
  content.querySelector("button")?.remove();
  try {
    const campaign = campaignOf(token);
    standAlone();
    let refusals = 0;
    let isChecking = false;
    const { connection, show } = start(() => [`share.${token}`], campaign, async (status) => {
      ({ refusals } = status);
      if (refusals < MOST_REFUSALS || isChecking) return;
      isChecking = true;
      // Without a network, connections fail in the same way.
      if (await isReachable() && refusals >= MOST_REFUSALS) {
        connection.stop();
        show({ problem: text("share.refused") ?? null });
      } else isChecking = false;
    });
    show({ unreachable: "share.unreachable" });
  } catch (error) {
    console.error(error);
    const notice = document.createElement("p");
    Object.assign(notice, { className: "notice", role: "alert", textContent: text("share.incomplete") });
    document.getElementById("app")?.replaceChildren(notice);
  }
}

/** Whether the server of the page itself can be reached. */
async function isReachable() {
  try {
    return (await fetch(location.pathname, { method: "HEAD", cache: "no-store" })).ok;
  } catch (error) {
    console.info(error);
    return false;
  }
}

/** @param {string} token @returns {string} the campaign that it names; the server verifies the token */
function campaignOf(token) {
  const payload = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(payload), (one) => one.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)).campaign;
}
