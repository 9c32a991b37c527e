/** Is what the reader sees true now? Always in sight. */

import { age } from "../format.js";
import { html } from "../html.js";

const WORDS = { connecting: "Connecting…", live: "Live", stale: "Reconnecting…", offline: "Offline" };

/** @param {{page: import("./app.js").Page}} props */
export function StatusView({ page }) {
  const { now, status: { state, heardAt, retryAt } } = page;
  const wait = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000);
  // Only the word is announced: an age that ticks aloud would be chatter.
  return html`
    <div class="status" data-state=${state}>
      <span class="dot" aria-hidden="true"></span>
      <span role="status">${WORDS[state]}</span>
      <span class="since">
        ${state === "live" && heardAt !== null && `updated ${age(now - heardAt)}`}
        ${(state === "stale" || state === "offline") && heardAt !== null && `numbers of ${page.format.clock(heardAt)}`}
      </span>
      ${wait > 1 && html`<button type="button" onClick=${page.retry}>Try now (${wait} s)</button>`}
    </div>`;
}
