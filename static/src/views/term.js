/** A name of a number, with what it means on hover and focus. */

import { html } from "../html.js";
import { say } from "../words.js";

let last = 0;
/** @type {Map<string, string>} */
const ids = new Map();

/** @param {string} key */
function idOf(key) {
  if (!ids.has(key)) ids.set(key, `term-${++last}`);
  return /** @type {string} */ (ids.get(key));
}

/**
 * @param {{of: string, children?: import("../html.js").Markup}} props `of`: such as "rate.bounce"
 */
export function Term({ of, children }) {
  const id = idOf(of);
  return html`
    <span class="term">
      <button type="button" aria-describedby=${id}>${children}</button>
      <span role="tooltip" id=${id}>${say(of)}</span>
    </span>`;
}
