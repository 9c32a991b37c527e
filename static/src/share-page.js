/** The page of a share link: one campaign, without sign-in. */

import { text } from "./glossary.js";
import { standAlone } from "./leader.js";
import { start } from "./start.js";

/** @param {string} token of the share link */
export function showShared(token) {
  /** @type {any} */
  const { content } = document.getElementById("brand");
  content.querySelector("a").removeAttribute("href");
  content.querySelector("button")?.remove();
  try {
    const campaign = campaignOf(token);
    standAlone();
    start(() => [`share.${token}`], campaign);
  } catch (error) {
    console.error(error);
    const notice = document.createElement("p");
    Object.assign(notice, { className: "notice", role: "alert", textContent: text("share.incomplete") });
    document.getElementById("app")?.replaceChildren(notice);
  }
}

/** @param {string} token @returns {string} the campaign that it names; the server verifies the token */
function campaignOf(token) {
  const payload = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(payload), (one) => one.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)).campaign;
}
