/** The pipeline from SES to this page, in a word: always in sight. */

import { problemsOf } from "../health.js";
import { html } from "../html.js";
import { HEALTH_TOPIC } from "../protocol.js";
import { say } from "../words.js";

/** @param {import("./app.js").Page} page @returns what is known of the pipeline, or null */
export function healthOf({ state }) {
  const shown = state.get(HEALTH_TOPIC)?.shown;
  return shown?.type === "health" ? shown.health : null;
}

/** @param {{page: import("./app.js").Page}} props */
export function HealthLink({ page }) {
  const health = healthOf(page);
  // What was true before the connection was lost says nothing.
  if (!health || page.status.state !== "live") return null;
  const problems = problemsOf(health, page.now);
  const late = problems.some(({ level }) => level === "late");
  const level = late ? "late" : problems.length ? "note" : "ok";
  return html`
    <a class="health" href="#/health" data-level=${level}>
      <span aria-hidden="true">${level === "ok" ? "✓" : "!"}</span>
      <span role="status">${say(`health.${level}`)}</span>
    </a>`;
}
