/** The page's frame: header, notices, and the view of the current route. */

import { LIST_TOPIC, campaignTopic } from "../protocol.js";
import { html } from "../html.js";
import { Heading } from "./heading.js";
import { HealthLink, healthDataOf, healthOf } from "./health-link.js";
import { lazy } from "./lazy.js";
import { Notice } from "./notice.js";
import { StatusView } from "./status.js";
import { text } from "../glossary.js";

const ListView = lazy(() => import("./list.js").then((module) => module.ListView));
const CampaignView = lazy(() => import("./campaign.js").then((module) => module.CampaignView));
const ActivityView = lazy(() => import("./activity.js").then((module) => module.ActivityView));
const RecipientsView = lazy(() => import("./recipients.js").then((module) => module.RecipientsView));
const HealthView = lazy(() => import("./health.js").then((module) => module.HealthView));
const CompareView = lazy(() => import("./compare.js").then((module) => module.CompareView));
const WallView = lazy(() => import("./wall.js").then((module) => module.WallView));

/**
 * Everything that the views draw.
 *
 * @typedef {{
 *   brand: {__html: string},
 *   address: string,
 *   format: import("../format.js").Format,
 *   state: import("../state.js").State,
 *   status: import("../connection.js").Status,
 *   route: import("../route.js").Route,
 *   now: number,
 *   arrival: import("../arrival.js").Arrival | null,
 *   arrivals: readonly import("../arrival.js").Arrival[],
 *   problem: string | null,
 *   unreachable: string,
 *   retry: () => void,
 *   chooseZone: (zone: string | undefined) => void,
 *   ask: import("../feed.js").Ask,
 *   go: (hash: string, replace?: boolean) => void,
 *   watch: (campaigns?: string[]) => void,
 *   subscribe: (topics: string[]) => void,
 * }} Page `brand` is the first part of the header, `address` the WebSocket URL, `now` in milliseconds
 *   since 1970, `arrival` how late the last new event was, `arrivals` the same of the last ones, `problem` an error that needs the reader's action, `unreachable` the key of the text while the server cannot be reached, `retry` connects now, `chooseZone`
 *   sets the time zone (undefined: that of the browser), `ask` requests results from the server, `go` changes the URL (with
 *   `replace`, Back skips the current one), `watch` states which campaigns of the list are on the
 *   screen (undefined for all), and `subscribe` replaces the topics that the page is subscribed to
 *
 * @typedef {{id: string, page: Page, topic: import("../state.js").TopicState | undefined,
 *            data: import("../state.js").CampaignData | null,
 *            summary: import("../protocol.js").Summary | null}} CampaignProps `data` is the
 *   campaign's snapshot; until it arrives, `summary` comes from the list
 */

/** @param {{page: Page}} props */
export function App({ page }) {
  const { problem, route, status: { state, lastMessageAt, failures } } = page;
  if (route.view === "wall") return html`<${Place} page=${page} />`;
  return html`
    <header class="bar">
      <a class="skip" href="#content" onClick=${skip}>${text("page.skip")}</a>
      <div class="brand" dangerouslySetInnerHTML=${page.brand}></div>
      <${HealthLink} page=${page} />
      <${StatusView} page=${page} />
    </header>
    <main id="content" class=${state === "live" || state === "connecting" ? "" : "is-stale"}>
      ${problem && html`<${Notice}>${problem}<//>`}
      ${state !== "live" && failures >= 3 && html`
        <${Notice}>
          ${text(state === "offline" ? "page.offline" : page.unreachable, { address: page.address })} ${lastMessageAt && text("page.last")}
        <//>`}
      ${lastMessageAt !== null && route.view !== "report" && html`
        <p class="printed">${text("page.printed", { time: page.format.moment(lastMessageAt), zone: page.format.zone })}</p>`}
      <${Place} page=${page} />
    </main>`;
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault(); // the hash is the route
  document.querySelector("h1")?.focus();
}

/** @param {{page: Page}} props */
function Place({ page }) {
  const { route, state } = page;
  const list = state.get(LIST_TOPIC);
  if (route.view === "list") return html`<${ListView} page=${page} query=${route.query} topic=${list} />`;
  const health = healthOf(page);
  if (route.view === "health") return html`<${HealthView} data=${healthDataOf(page)} page=${page} />`;
  if (route.view === "wall") return html`<${WallView} page=${page} ids=${route.ids} query=${route.query} />`;
  if (route.view === "compare") return html`<${CompareView} page=${page} ids=${route.ids} />`;
  if (route.view === "unknown") {
    return html`
      <${Heading}>${text("page.unknown")}<//>
      <p>${text("page.unknown_hash", { hash: location.hash })} <a href="#/">${text("page.see_all")}</a></p>`;
  }
  const { id } = route;
  const topic = state.get(campaignTopic(id));
  const data = topic?.shown?.type === "campaign" ? topic.shown : null;
  const listed = list?.shown?.type === "list" ? list.shown.campaigns.get(id) : undefined;
  /** @type {CampaignProps} */
  const campaign = { id, page, topic, data, summary: data?.summary ?? listed ?? null };
  if (route.view === "activity") return html`<${ActivityView} key=${id} route=${route} ...${campaign} />`;
  if (route.view === "recipients") return html`<${RecipientsView} key=${id} ...${{ id, route, page }} />`;
  const report = route.view === "report";
  return html`<${CampaignView} key=${id} ...${campaign} report=${report} query=${route.view === "campaign" ? route.query : ""} untracked=${health?.untracked.includes(id)} unsent=${health?.unsent.includes(id)} />`;
}
