/** Something that the reader should know, above the numbers. */

import { html } from "../html.js";

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
      ${error.code === "forbidden" ? "You may not see these statistics" : "The server did not send these statistics"}:
      ${" "}${error.message} <code>${error.code}</code>
      ${passing && " The page asks again by itself."}
    <//>`;
}
