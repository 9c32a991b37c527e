/** Wires connection → state → views. */

import { h, options, render } from "preact";
import { Connection } from "./connection.js";
import { createFormat } from "./format.js";
import { HEALTH_TOPIC, LIST_TOPIC, campaignTopic } from "./protocol.js";
import { parseRoute } from "./route.js";
import { EMPTY, reduce } from "./state.js";
import { App } from "./views/app.js";

/** @param {string} name */
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.getAttribute("content") ?? "";
const root = /** @type {HTMLElement} */ (document.getElementById("app"));

/** @type {import("./views/app.js").Page} */
const page = {
  stage: meta("mailpulse-stage"),
  icon: document.querySelector("link[rel=icon]")?.getAttribute("href") ?? "",
  address: meta("mailpulse-websocket"),
  format: createFormat(navigator.language),
  state: EMPTY,
  status: { state: "connecting", heardAt: null, retryAt: null, failures: 0 },
  route: parseRoute(location.hash),
  now: Date.now(),
  problem: null,
  retry: () => connection.wake(),
};

// However fast messages come, the page is drawn once a frame; a view's own state waits for it too.
options.debounceRendering = requestAnimationFrame;
let frame = 0;
let arrived = false;

/** @param {Partial<import("./views/app.js").Page>} news */
function show(news) {
  Object.assign(page, news);
  frame ||= requestAnimationFrame(draw);
}

function draw() {
  frame = 0;
  render(h(App, { page: { ...page } }), root);
  if (!arrived) return;
  // Another place is a new page to its reader: it starts at the top, with its heading.
  arrived = false;
  scrollTo(0, 0);
  root.querySelector("h1")?.focus({ preventScroll: true });
}

const connection = new Connection({
  open: () => new WebSocket(page.address, ["mailpulse.v1"]),
  onChange: (change) => show({ state: reduce(page.state, change) }),
  onStatus: (status) => show({ status }),
  onUnreadable(error) {
    console.error(error);
    show({
      problem: `The server sent something that this page cannot read: ${error.message}. `
        + "Reload the page; if it happens again, deploy the page and the functions from the same version.",
    });
  },
  isOnline: () => navigator.onLine,
});

/** @type {string | null} */
let topic = null;

function follow() {
  const route = parseRoute(location.hash);
  const wanted = route.view === "campaign" ? campaignTopic(route.id)
    : route.view === "list" ? LIST_TOPIC : null;
  if (topic !== wanted) {
    if (topic !== null) connection.unsubscribe(topic);
    if (wanted !== null) connection.subscribe(wanted);
    topic = wanted;
  }
  document.title = route.view === "campaign" ? `${route.id} – Mailpulse` : "Mailpulse";
  show({ route });
}

addEventListener("hashchange", () => {
  arrived = true;
  follow();
});
addEventListener("online", () => connection.wake());
addEventListener("offline", () => connection.doubt());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") connection.wake();
});
setInterval(() => show({ now: Date.now() }), 1000);

root.replaceChildren();
connection.subscribe(HEALTH_TOPIC);
follow();
try {
  connection.start();
} catch (error) {
  // A WebSocket is refused at once for an address that can never work.
  show({
    problem: `The page cannot connect to ${JSON.stringify(page.address)}: ${error}. Publish the page `
      + "again with a WebSocket address that starts with wss:// (or ws:// for a page on http://).",
  });
}
