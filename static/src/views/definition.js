/** The label of a number, with its definition on hover and focus. */

import { html } from "../html.js";
import { text } from "../glossary.js";

let last = 0;
/** @type {Map<string, string>} */
const ids = new Map();

/** @param {string} key */
function idOf(key) {
  if (!ids.has(key)) ids.set(key, `definition-${++last}`);
  return /** @type {string} */ (ids.get(key));
}

/**
 * @param {{of: string, children?: import("../html.js").Markup}} props `of`: the key in the glossary, such as "rate.bounce"
 */
export function Definition({ of, children }) {
  const id = idOf(of);
  return html`
    <span class="definition">
      <button type="button" aria-describedby=${id}>${children}</button>
      <span role="tooltip" id=${id}>${text(of)}</span>
    </span>`;
}
