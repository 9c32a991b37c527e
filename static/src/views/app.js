/** The page's frame: header, notices, and the view that the address names. */

import { LIST_TOPIC, campaignTopic } from "../protocol.js";
import { html } from "../html.js";
import { Heading } from "./heading.js";
import { HealthLink, healthOf } from "./health-link.js";
import { lazily } from "./lazily.js";
import { Notice } from "./notice.js";
import { StatusView } from "./status.js";
import { say } from "../words.js";

const ListView = lazily(() => import("./list.js").then((module) => module.ListView));
const CampaignView = lazily(() => import("./campaign.js").then((module) => module.CampaignView));
const ActivityView = lazily(() => import("./activity.js").then((module) => module.ActivityView));
const HealthView = lazily(() => import("./health.js").then((module) => module.HealthView));
const WallView = lazily(() => import("./wall.js").then((module) => module.WallView));

/**
 * What there is to draw; the views are functions of it alone.
 *
 * @typedef {{
 *   brand: {__html: string},
 *   address: string,
 *   format: import("../format.js").Format,
 *   state: import("../state.js").State,
 *   status: import("../connection.js").Status,
 *   route: import("../route.js").Route,
 *   now: number,
 *   problem: string | null,
 *   retry: () => void,
 *   ask: import("../feed.js").Ask,
 * }} Page `brand` is the header's first part, `address` the WebSocket's URL, `now` in milliseconds
 *   since 1970, `problem` what the page cannot mend by itself, `retry` connects now, and `ask` asks
 *   the server for a stream of results
 *
 * @typedef {{id: string, page: Page, topic: import("../state.js").TopicState | undefined,
 *            data: import("../state.js").CampaignData | null,
 *            summary: import("../protocol.js").Summary | null}} CampaignProps `data` is all that is
 *   known of a campaign; until it is here, `summary` is what the list says of it
 */

/** @param {{page: Page}} props */
export function App({ page }) {
  const { problem, route, status: { state, heardAt, failures } } = page;
  if (route.view === "wall") return html`<${Place} page=${page} />`;
  return html`
    <header class="bar">
      <a class="skip" href="#content" onClick=${skip}>Skip to the numbers</a>
      <div class="brand" dangerouslySetInnerHTML=${page.brand}></div>
      <${HealthLink} page=${page} />
      <${StatusView} page=${page} />
    </header>
    <main id="content" class=${state === "live" || state === "connecting" ? "" : "is-stale"}>
      ${problem && html`<${Notice}>${problem}<//>`}
      ${state !== "live" && failures >= 3 && html`
        <${Notice}>
          ${say("page.unreachable", { address: page.address })} ${say(heardAt ? "page.last" : "page.running")}
        <//>`}
      <${Place} page=${page} />
    </main>`;
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault(); // the address's hash names the view
  document.querySelector("h1")?.focus();
}

/** @param {{page: Page}} props */
function Place({ page }) {
  const { route, state } = page;
  const list = state.get(LIST_TOPIC);
  if (route.view === "list") return html`<${ListView} page=${page} topic=${list} />`;
  const health = healthOf(page);
  if (route.view === "health") return html`<${HealthView} health=${health} page=${page} />`;
  if (route.view === "unknown") {
    return html`
      <${Heading}>${say("page.unknown")}<//>
      <p>${say("page.unknown_hash", { hash: location.hash })} <a href="#/">See all campaigns</a></p>`;
  }
  const { id } = route;
  const topic = state.get(campaignTopic(id));
  const data = topic?.shown?.type === "campaign" ? topic.shown : null;
  const listed = list?.shown?.type === "list" ? list.shown.campaigns.get(id) : undefined;
  /** @type {CampaignProps} */
  const campaign = { id, page, topic, data, summary: data?.summary ?? listed ?? null };
  if (route.view === "wall") return html`<${WallView} ...${campaign} />`;
  if (route.view === "activity") return html`<${ActivityView} key=${id} route=${route} ...${campaign} />`;
  return html`<${CampaignView} key=${id} ...${campaign} untracked=${health?.untracked.includes(id)} />`;
}
