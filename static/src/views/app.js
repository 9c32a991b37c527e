/** The page's frame: header, notices, and the view that the address names. */

import { HEALTH_TOPIC, LIST_TOPIC, campaignTopic } from "../protocol.js";
import { html } from "../html.js";
import { CampaignView } from "./campaign.js";
import { HealthLink, HealthView } from "./health.js";
import { ListView } from "./list.js";
import { Notice } from "./notice.js";
import { StatusView } from "./status.js";

/**
 * What there is to draw; the views are functions of it alone.
 *
 * @typedef {{
 *   stage: string,
 *   icon: string,
 *   address: string,
 *   format: import("../format.js").Format,
 *   state: import("../state.js").State,
 *   status: import("../connection.js").Status,
 *   route: import("../route.js").Route,
 *   now: number,
 *   problem: string | null,
 *   retry: () => void,
 * }} Page `stage` is the stage's name, `icon` and `address` the URLs of favicon and WebSocket,
 *   `now` in milliseconds since 1970, `problem` what the page cannot mend by itself, and
 *   `retry` connects now
 */

/** @param {{page: Page}} props */
export function App({ page }) {
  const { problem, status: { state, heardAt, failures } } = page;
  return html`
    <header class="bar">
      <a class="brand" href="#/">
        <img src=${page.icon} width="28" height="28" alt="" />
        <span>Mailpulse</span>
      </a>
      ${page.stage && html`<span class="stage" title="Stage">${page.stage}</span>`}
      <${HealthLink} health=${healthOf(page)} now=${page.now} />
      <${StatusView} page=${page} />
    </header>
    <main class=${state === "live" || state === "connecting" ? "" : "is-stale"}>
      ${problem && html`<${Notice}>${problem}<//>`}
      ${state !== "live" && failures >= 3 && html`
        <${Notice}>
          Mailpulse cannot be reached at <code>${page.address}</code> and keeps trying.
          ${" "}${heardAt ? "The numbers below are the last that arrived." : "Is it running?"}
        <//>`}
      <${Place} page=${page} />
    </main>`;
}

/** @param {Page} page */
function healthOf({ state }) {
  const shown = state.get(HEALTH_TOPIC)?.shown;
  return shown?.type === "health" ? shown.health : null;
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
      <h1 tabindex="-1">There is no such page</h1>
      <p>The address <code>${location.hash}</code> names nothing here. <a href="#/">See all campaigns</a>.</p>`;
  }
  // Until the campaign's own snapshot is here, what the list says of it fills the tiles.
  const listed = list?.shown?.type === "list" ? list.shown.campaigns.get(route.id) : undefined;
  const topic = state.get(campaignTopic(route.id));
  return html`<${CampaignView} key=${route.id} id=${route.id} page=${page} topic=${topic} listed=${listed}
    untracked=${health?.untracked.includes(route.id)} />`;
}
