/** The terms of a report with their definitions. */

import { text } from "../glossary.js";
import { html } from "../html.js";

/** Terms, and the keys of their definitions. */
const TERMS = /** @type {const} */ ([
  ["label.sends", "count.sends"], ["label.deliveries", "rate.delivery"], ["label.readers", "rate.read"],
  ["event.Click", "rate.human_click"], ["rate_label.human_open", "rate.human_open"], ["label.machine_opens", "count.machine_opens"],
  ["label.hard_bounces", "rate.bounce"], ["label.soft_bounces", "count.soft_bounces"],
  ["label.complaints", "rate.complaint"], ["label.unsubscribes", "rate.unsubscribe"], ["label.pace", "count.pace"],
]);

export function TermsView() {
  return html`
    <section class="panel" aria-labelledby="terms">
      <h2 id="terms">${text("report.terms")}</h2>
      <dl class="terms">${TERMS.map(([name, definition]) => html`<div key=${name}><dt>${text(name)}</dt><dd>${text(definition)}</dd></div>`)}</dl>
    </section>`;
}
