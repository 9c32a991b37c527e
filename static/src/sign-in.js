/** The page's entry where people sign in; whoever comes by a share link need not. */

import { INVALID_RESPONSE } from "oauth4webapi";
import { standAlone } from "./lead.js";
import { Renewal } from "./renewal.js";
import { Session } from "./session.js";
import { start } from "./start.js";
import { say } from "./words.js";

const LEFT = "mailpulse-left";
const SHARED = /^#\/share\/([\w.-]+)$/;

/** @param {string} selector @returns {any} */
const find = (selector) => document.querySelector(selector);

/** Show that nobody is signed in. @param {string | undefined} why */
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
    // The code has been used: it is not to be reloaded, bookmarked or passed on.
    history.replaceState(null, "", `/${hash}`);
  }
  const { connection, show } = start(() => [`bearer.${session.token}`]);
  const renewal = new Renewal(session, {
    authenticate: () => connection.ask({ action: "authenticate", token: session.token }, () => {}),
    reconnect: () => connection.wake(),
    end() {
      connection.stop();
      show({ problem: say("sign_in.ended") ?? null });
    },
  });
  setInterval(() => renewal.check(), 1000);
  document.addEventListener("click", ({ target }) => {
    if (!(/** @type {Element} */ (target)).closest("#sign-out")) return;
    connection.stop();
    session.forget();
    if (settings.sign_out) return location.assign(settings.sign_out);
    // The issuer would sign the same reader in again, without a question.
    sessionStorage.setItem(LEFT, "yes");
    location.reload();
  });
}

/** @param {any} error @returns {string | undefined} */
function problem(error) {
  if (error.code === INVALID_RESPONSE) return say("sign_in.stale");
  // What an issuer says stands in the address, where anybody may have written it.
  return `${say("sign_in.failed")} (${String(error.error ?? error.code ?? error.message).slice(0, 100)})`;
}

/** @param {string} token of a share link */
function showShared(token) {
  const payload = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(payload), (one) => one.charCodeAt(0));
  const { campaign } = JSON.parse(new TextDecoder().decode(bytes));
  const brand = find("#brand").content;
  brand.querySelector("a").removeAttribute("href");
  brand.querySelector("button").remove();
  standAlone();
  start(() => [`share.${token}`], campaign);
}

const [, token] = SHARED.exec(location.hash) ?? [];
// A share link that is opened in this tab, or left, is another page.
addEventListener("hashchange", () => {
  if (token || SHARED.test(location.hash)) location.reload();
});
// "Back", after signing out, must not bring back what was signed in.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});
try {
  if (token) showShared(token);
} catch (error) {
  console.error(error);
  signedOut(say("sign_in.no_share"));
}
if (!token) signIn(JSON.parse(find("meta[name=mailpulse-sign-in]").content));
