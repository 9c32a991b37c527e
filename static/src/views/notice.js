/** Something that the reader should know, above the numbers. */

import { html } from "../html.js";
import { say } from "../words.js";

/** @param {{children?: import("../html.js").Markup}} props */
export function Notice({ children }) {
  return html`<p class="notice" role="alert">${children}</p>`;
}

/**
 * What the server answered instead of numbers.
 * @param {{error: import("../protocol.js").ServerError}} props
 */
export function Refusal({ error }) {
  const passing = error.code === "internal" || error.code === "rate_limited";
  return html`
    <${Notice}>
      ${say(error.code === "forbidden" ? "page.forbidden" : "page.refused")} ${error.message}
      ${" "}<code>${error.code}</code> ${passing && say("page.asks_again")}
    <//>`;
}
