/** The page's entry point with sign-in. Share links need no sign-in. */

import { INVALID_RESPONSE } from "oauth4webapi";
import { Renewal } from "./renewal.js";
import { Session } from "./session.js";
import { openShareLink } from "./share-link.js";
import { start } from "./start.js";
import { text } from "./glossary.js";

const LEFT = "mailpulse-left";

/** @param {string} selector @returns {any} */
const find = (selector) => document.querySelector(selector);

/** Show the signed-out page. @param {string | undefined} why */
function signedOut(why = "") {
  find("#app").replaceChildren(find("#signed-out").content.cloneNode(true));
  find("#why").textContent = why;
}

/** @param {import("./session.js").Settings} settings */
async function signIn(settings) {
  const session = new Session(settings, `${location.origin}/`, sessionStorage);
  const address = new URL(location.href);
  if (sessionStorage.getItem(LEFT)) {
    sessionStorage.removeItem(LEFT);
    return signedOut();
  }
  if (!["state", "error"].some((name) => address.searchParams.has(name))) {
    return location.replace(await session.begin(location.hash));
  }
  let hash = "";
  try {
    hash = await session.complete(address);
  } catch (error) {
    console.error(error);
    return signedOut(problem(error));
  } finally {
    // Remove the used code, so that it is not reloaded, bookmarked, or shared.
    history.replaceState(null, "", `/${hash}`);
  }
  const { connection, show } = start(() => [`bearer.${session.token}`]);
  const renewal = new Renewal(session, {
    authenticate: () => connection.ask({ action: "authenticate", token: session.token }, () => {}),
    reconnect: () => connection.wake(),
    end() {
      connection.stop();
      show({ problem: text("sign_in.ended") ?? null });
    },
  });
  setInterval(() => renewal.check(), 1000);
  document.addEventListener("click", ({ target }) => {
    if (!(/** @type {Element} */ (target)).closest("#sign-out")) return;
    connection.stop();
    session.forget();
    if (settings.sign_out) return location.assign(settings.sign_out);
    // Otherwise, the issuer would sign in the same user again without asking.
    sessionStorage.setItem(LEFT, "yes");
    location.reload();
  });
}

/** @param {any} error @returns {string | undefined} */
function problem(error) {
  if (error.code === INVALID_RESPONSE) return text("sign_in.stale");
  // The error comes from the URL, which is untrusted input.
  return `${text("sign_in.failed")} (${String(error.error ?? error.code ?? error.message).slice(0, 100)})`;
}

// After signing out, "Back" must not restore the signed-in page.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});
if (!openShareLink()) signIn(JSON.parse(find("meta[name=mailpulse-sign-in]").content));
