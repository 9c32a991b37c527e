/** The pipeline from SES to this page, in a word: always in sight. */

import { problemsOf } from "../health.js";
import { html } from "../html.js";
import { say } from "../words.js";

/**
 * @param {{health: import("../protocol.js").Health | null, now: number}} props `health`: null while
 *   it is not known
 */
export function HealthLink({ health, now }) {
  if (!health) return null;
  const problems = problemsOf(health, now);
  const late = problems.some(({ level }) => level === "late");
  const level = late ? "late" : problems.length ? "note" : "ok";
  return html`
    <a class="health" href="#/health" data-level=${level}>
      <span aria-hidden="true">${level === "ok" ? "✓" : "!"}</span>
      <span role="status">${say(`health.${level}`)}</span>
    </a>`;
}
