/** Connects the parts: connection → state → views. */

import { h, options, render } from "preact";
import { arrivalOf, withArrival } from "./arrival.js";
import { Connection } from "./connection.js";
import { createFormat } from "./format.js";
import { HEALTH_TOPIC, LIST_TOPIC, campaignTopic } from "./protocol.js";
import { campaignHash, parseRoute } from "./route.js";
import { SIGNS, lastSentAt, levelOf } from "./attention.js";
import { EMPTY, reduce } from "./state.js";
import { App } from "./views/app.js";
import { keepZone, keptZone } from "./zone.js";
import { text } from "./glossary.js";

/**
 * @param {() => string[]} [credentials] subprotocols that identify the viewer; called for each connection
 * @param {string} [shared] the ID of the campaign that a share link shows
 * @param {(status: import("./connection.js").Status) => void} [onStatus]
 * @returns the connection, and a function that redraws the page with changed properties
 */
export function start(credentials = () => [], shared, onStatus) {
  const root = /** @type {HTMLElement} */ (document.getElementById("app"));

  /** How far this computer's clock is ahead of the server's, in milliseconds. */
  let ahead = 0;
  const now = () => Date.now() - ahead;

  const routeOf = () => parseRoute(shared ? location.hash.replace(/^[^?]*/, campaignHash(shared)) : location.hash);

  /** @type {import("./views/app.js").Page} */
  const page = {
    brand: { __html: document.getElementById("brand")?.innerHTML ?? "" },
    address: document.querySelector("meta[name=mailpulse-websocket]")?.getAttribute("content") ?? "",
    format: createFormat(navigator.language, keptZone()),
    state: EMPTY,
    status: { state: "connecting", lastMessageAt: null, retryAt: null, failures: 0, refusals: 0, back: null },
    route: routeOf(),
    now: now(),
    arrival: null,
    arrivals: [],
    problem: null,
    unreachable: "page.unreachable",
    retry: () => connection.wake(),
    chooseZone(zone) {
      keepZone(zone);
      show({ format: createFormat(navigator.language, zone) });
    },
    ask: (request, onResult, onPage) => connection.ask(request, onResult, onPage),
    go(hash, replace) {
      if (replace) history.replaceState(null, "", hash);
      else history.pushState(null, "", hash);
      follow();
    },
    watch(campaigns) {
      if (topics.includes(LIST_TOPIC)) connection.subscribe(LIST_TOPIC, campaigns);
    },
    subscribe(wanted) {
      if (String(wanted) === String(topics)) return;
      page.arrival = null;
      for (const one of topics) if (!wanted.includes(one)) connection.unsubscribe(one);
      for (const one of wanted) if (!topics.includes(one)) connection.subscribe(one);
      topics = wanted;
    },
  };

  // However fast messages arrive, the page is drawn once per frame, including changes of a view's own state.
  options.debounceRendering = requestAnimationFrame;
  let frame = 0;

  /** @param {Partial<import("./views/app.js").Page>} news */
  function show(news) {
    Object.assign(page, news);
    frame ||= requestAnimationFrame(draw);
  }

  function draw() {
    frame = 0;
    render(h(App, { page: { ...page } }), root);
  }

  const connection = new Connection({
    open: () => new WebSocket(page.address, ["mailpulse.v1", ...credentials()]),
    onChange(change) {
      const arrival = arrivalOf(page.state, change, now());
      if (arrival) Object.assign(page, { arrival, arrivals: withArrival(page.arrivals, arrival) });
      show({ state: reduce(page.state, change) });
    },
    onStatus(status) {
      show({ status });
      onStatus?.(status);
    },
    onUnreadable(error) {
      console.error(error);
      show({
        problem: text("page.unreadable", { error: error.message }) ?? null,
      });
    },
    isOnline: () => navigator.onLine,
    now,
  });

  /** @type {string[]} */
  let topics = [];

  function follow() {
    const route = routeOf();
    // A wall screen subscribes by itself, because what it shows can depend on the list.
    if (route.view !== "wall") page.subscribe("id" in route ? [campaignTopic(route.id)] : route.view === "list" ? [LIST_TOPIC] : []);
    document.title = ["id" in route ? route.id : null, text(`view.${route.view}`), "Mailpulse"].filter(Boolean).join(" – ");
    show({ route });
  }

  let signAt = Date.now();
  const attend = () => connection.attend(levelOf({
    hidden: document.hidden, wall: page.route.view === "wall", signAt, now: Date.now(),
    sentAt: lastSentAt(topics.map((one) => page.state.get(one)?.shown)) + ahead,
  }));
  for (const sign of SIGNS) {
    addEventListener(sign, () => { signAt = Date.now(); attend(); }, { passive: true, capture: true });
  }

  addEventListener("hashchange", follow);
  addEventListener("online", () => connection.wake());
  addEventListener("offline", () => connection.wake());
  document.addEventListener("visibilitychange", () => {
    signAt = Date.now();
    attend();
    if (document.visibilityState === "visible") connection.wake();
  });
  // Escape hides tooltips until the next pointer movement or focus change.
  addEventListener("keydown", (event) => {
    const { key, target } = /** @type {KeyboardEvent & {target: HTMLElement}} */ (event);
    if (key === "Escape") root.classList.add("hide-tooltips");
    /** @type {HTMLElement | null} */
    const search = document.querySelector("[type=search]");
    if (key !== "/" || !search || event.ctrlKey || event.metaKey || target.closest("input, select")) return;
    event.preventDefault();
    search.focus();
  });
  for (const type of ["pointermove", "focusin"]) addEventListener(type, () => root.classList.remove("hide-tooltips"));
  setInterval(() => {
    attend();
    show({ now: now() });
  }, 1000);

  // If the server does not send its time, this computer's clock is used.
  fetch(location.pathname, { method: "HEAD", cache: "no-store" }).then(({ headers }) => {
    ahead = Date.now() - Date.parse(headers.get("date") ?? "") || 0;
    connection.wake(); // update the status with the corrected clock
  }, console.info);
  root.replaceChildren();
  if (!shared) connection.subscribe(HEALTH_TOPIC);
  follow();
  try {
    connection.start();
  } catch (error) {
    // The constructor of WebSocket throws if the address is invalid.
    show({
      problem: text("page.no_address", { address: page.address, error }) ?? null,
    });
  }
  return { connection, show };
}
