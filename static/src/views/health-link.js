/** A link that shows the state of the pipeline in the header. */

import { levelOf } from "../health.js";
import { html } from "../html.js";
import { HEALTH_TOPIC } from "../protocol.js";
import { text } from "../glossary.js";

/** @param {import("./app.js").Page} page @returns what the topic of the pipeline's health has, or null while it is loading */
export function healthDataOf({ state }) {
  const shown = state.get(HEALTH_TOPIC)?.shown;
  return shown?.type === "health" ? shown : null;
}

/** @param {import("./app.js").Page} page @returns the pipeline's health, or null while it is loading */
export const healthOf = (page) => healthDataOf(page)?.health ?? null;

/** @param {{page: import("./app.js").Page}} props */
export function HealthLink({ page }) {
  const health = healthOf(page);
  // While disconnected, the last known health may be outdated.
  if (!health || page.status.state !== "live") return null;
  const level = levelOf(health, page.now);
  return html`
    <a class="health" href="#/health" data-level=${level}>
      <span aria-hidden="true">${level === "ok" ? "✓" : level === "none" ? "–" : "!"}</span>
      <span role="status">${text(`health.${level}`)}</span>
    </a>`;
}
