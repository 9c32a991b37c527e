/** Parameters of the URL that cannot be used, and why. */

import { text } from "../glossary.js";
import { html } from "../html.js";

/** @param {{problems: import("../parameters.js").Problem[], onDismiss: () => void}} props */
export function QueryProblems({ problems, onDismiss }) {
  return problems.length > 0 && html`
    <div class="notice" role="alert">
      ${text("page.bad_link")}
      <ul>${problems.map(({ name, value, text: key }) => html`
        <li><code>${name}=${value.length > 60 ? `${value.slice(0, 60)}…` : value}</code>: ${text(key)}</li>`)}</ul>
      <button type="button" onClick=${onDismiss}>${text("page.dismiss")}</button>
    </div>`;
}
