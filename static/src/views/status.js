/** The state of the connection and the age of the data, in the header. */

import { age } from "../format.js";
import { lateArrival } from "../arrival.js";
import { text } from "../glossary.js";
import { delayOf, levelOf } from "../health.js";
import { html } from "../html.js";
import { LIST_TOPIC, campaignTopic } from "../protocol.js";
import { newestEvent } from "../select.js";
import { healthOf } from "./health-link.js";

/** How long a reconnect is reported, in milliseconds. */
const BACK_FOR = 15_000;

/** The time of the newest event behind the numbers on screen. @param {import("./app.js").Page} page @param {string} [id] */
function lastEventOf(page, id) {
  const { route, state } = page;
  const shown = state.get(id ? campaignTopic(id) : LIST_TOPIC)?.shown;
  if (shown?.type === "campaign") return newestEvent(shown.summary ? [shown.summary] : []);
  if (shown?.type === "list" && route.view === "list") return newestEvent(shown.campaigns.values());
  return healthOf(page)?.last_event_at ?? null;
}

/** @param {{page: import("./app.js").Page, id?: string}} props `id`: the campaign on the screen, if it is one */
export function StatusView({ page, id = "id" in page.route ? page.route.id : undefined }) {
  const { now, status: { state, lastMessageAt, retryAt, back } } = page;
  const wait = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000);
  const isBack = back && now - back.at < BACK_FOR;
  const health = healthOf(page);
  const measured = health !== null && levelOf(health, now) === "late" ? delayOf(health, now) : 0;
  const delay = Math.max(measured, lateArrival(page.arrival, now));
  const isLate = state === "live" && delay > 0;
  const last = lastEventOf(page, id);
  const aged = isLate ? text("status.late", { duration: lasting(delay) })
    : last === null ? text("status.no_events") : text("status.last_event", { ago: age(now - last) });
  // Screen readers announce the state only, not the age, which changes every second.
  return html`
    <div class="status" data-state=${isLate ? "late" : state}>
      <span class="dot" aria-hidden="true"></span>
      <span role="status">
        ${text(`status.${isLate ? "behind" : state}`)}${state === "live" && isBack && html`<span class="caught-up">${text("status.reconnected", { duration: lasting(back.after) })}</span>`}
      </span>
      <span class="since">
        ${state === "live" && !isBack && aged}
        ${state !== "live" && state !== "connecting" && lastMessageAt && text("status.as_of", { time: page.format.moment(lastMessageAt) })}
      </span>
      ${wait > 1 && html`<button type="button" onClick=${page.retry}>${text("status.retry", { seconds: wait })}</button>`}
    </div>`;
}

/** @param {number} milliseconds */
const lasting = (milliseconds) => age(Math.max(1000, milliseconds)).replace(" ago", "");
