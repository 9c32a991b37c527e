/** Is what the reader sees true now? Always in sight. */

import { age } from "../format.js";
import { html } from "../html.js";

const WORDS = { connecting: "Connecting…", live: "Live", stale: "Reconnecting…", offline: "Offline" };

/** For how long it is told that the page was away and has caught up, in milliseconds. */
const BACK_FOR = 15_000;

/** @param {{page: import("./app.js").Page}} props */
export function StatusView({ page }) {
  const { now, status: { state, heardAt, retryAt, back } } = page;
  const wait = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000);
  const isBack = back && now - back.at < BACK_FOR;
  // Only the words are announced: an age that ticks aloud would be chatter.
  return html`
    <div class="status" data-state=${state}>
      <span class="dot" aria-hidden="true"></span>
      <span role="status">
        ${WORDS[state]}${state === "live" && isBack && html`<span class="caught-up">, all caught up after ${age(Math.max(1000, back.after)).replace("ago", "away")}</span>`}
      </span>
      <span class="since">
        ${state === "live" && heardAt !== null && !isBack && `updated ${age(now - heardAt)}`}
        ${(state === "stale" || state === "offline") && `numbers of ${page.format.moment(heardAt)}`}
      </span>
      ${wait > 1 && html`<button type="button" onClick=${page.retry}>Try now (${wait} s)</button>`}
    </div>`;
}
