/** The state of the connection and the age of the numbers, in the header. */

import { age } from "../format.js";
import { text } from "../glossary.js";
import { html } from "../html.js";

/** How long a reconnect is reported, in milliseconds. */
const BACK_FOR = 15_000;

/** @param {{page: import("./app.js").Page}} props */
export function StatusView({ page }) {
  const { now, status: { state, lastMessageAt, retryAt, back } } = page;
  const wait = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000);
  const isBack = back && now - back.at < BACK_FOR;
  // Screen readers announce the state only, not the age, which changes every second.
  return html`
    <div class="status" data-state=${state}>
      <span class="dot" aria-hidden="true"></span>
      <span role="status">
        ${text(`status.${state}`)}${state === "live" && isBack && html`<span class="caught-up">${text("status.reconnected", { duration: age(Math.max(1000, back.after)).replace(" ago", "") })}</span>`}
      </span>
      <span class="since">
        ${state === "live" && lastMessageAt !== null && !isBack && text("status.updated", { ago: age(now - lastMessageAt) })}
        ${(state === "stale" || state === "offline") && text("status.as_of", { time: page.format.moment(lastMessageAt) })}
      </span>
      ${wait > 1 && html`<button type="button" onClick=${page.retry}>${text("status.retry", { seconds: wait })}</button>`}
    </div>`;
}
