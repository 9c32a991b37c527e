/** Notices above the numbers. */

import { html } from "../html.js";
import { text } from "../glossary.js";

/** @param {{children?: import("../html.js").Markup}} props */
export function Notice({ children }) {
  return html`<p class="notice" role="alert">${children}</p>`;
}

/**
 * An error that the server returned instead of numbers.
 * @param {{error: import("../protocol.js").ServerError}} props
 */
export function ServerErrorNotice({ error }) {
  const retryable = error.code === "internal" || error.code === "rate_limited";
  return html`
    <${Notice}>
      ${text(error.code === "forbidden" ? "page.forbidden" : "page.refused")} ${error.message}
      ${" "}<code>${error.code}</code> ${retryable && text("page.retrying")}
    <//>`;
}
