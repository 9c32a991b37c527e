/** The page's entry where people sign in; whoever comes by a share link need not. */

import { INVALID_RESPONSE } from "oauth4webapi";
import { standAlone } from "./lead.js";
import { Session } from "./session.js";
import { start } from "./start.js";
import { say } from "./words.js";

const AGAIN_AFTER = 10_000;

/** @param {string} selector @returns {any} */
const find = (selector) => document.querySelector(selector);

/** @type {import("./session.js").Settings} */
const settings = JSON.parse(find("meta[name=mailpulse-sign-in]").content);
const session = new Session(settings, location.origin + location.pathname, sessionStorage);

/** Show that nobody is signed in. @param {string} why */
function signedOut(why) {
  find("#app").replaceChildren(find("#signed-out").content.cloneNode(true));
  find("#why").textContent = why;
}

async function signIn() {
  const address = new URL(location.href);
  if (!address.searchParams.has("state")) return location.replace(await session.begin(location.hash));
  let hash = "";
  try {
    hash = await session.complete(address);
  } catch (error) {
    console.error(error);
    return signedOut(problem(error));
  } finally {
    // The code has been used: it is not to be reloaded, bookmarked or passed on.
    history.replaceState(null, "", location.pathname + hash);
  }
  const app = start(() => [`bearer.${session.token}`]);
  document.addEventListener("click", ({ target }) => {
    if (/** @type {Element} */ (target).closest("#sign-out")) leave();
  });
  setTimeout(renew, session.renewIn);

  async function renew() {
    try {
      await session.renew();
    } catch (error) {
      if (error instanceof TypeError) return setTimeout(renew, AGAIN_AFTER); // no network
      console.error(error);
      return app.show({ problem: say("sign_in.ended") ?? null });
    }
    setTimeout(renew, session.renewIn);
    // A connection that is lost just now is made anew with the new token.
    app.ask({ action: "authenticate", token: session.token }, () => {}).catch(console.info);
  }
}

function leave() {
  if (settings.sign_out) location.assign(settings.sign_out);
  else location.reload();
}

/** @param {any} error @returns {string} */
function problem(error) {
  if (error.code === INVALID_RESPONSE) return say("sign_in.stale") ?? "";
  // What an issuer says stands in the address, where anybody may have written it.
  return `${say("sign_in.failed")} (${String(error.error ?? error.code ?? error.message).slice(0, 100)})`;
}

/** @param {string} token of a share link */
function showShared(token) {
  const { campaign } = JSON.parse(new TextDecoder().decode(
    Uint8Array.from(atob((token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0)),
  ));
  for (const element of find("#brand").content.querySelectorAll("a, button")) {
    element.removeAttribute("href");
    if (element.matches("button")) element.remove();
  }
  standAlone();
  start(() => [`share.${token}`], campaign);
}

const [, token] = /^#\/share\/([\w.-]+)$/.exec(location.hash) ?? [];
try {
  if (token) showShared(token);
} catch (error) {
  console.error(error);
  signedOut(say("sign_in.no_share") ?? "");
}
if (!token) signIn();
