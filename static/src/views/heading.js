/** A view's heading. Another place is a new page to its reader: it starts at the top, with this. */

import { html } from "../html.js";

let arrived = false;

addEventListener("hashchange", () => { arrived = true; });

/** @param {HTMLElement | null} element of a heading that has just been drawn first */
function begin(element) {
  if (!element || !arrived) return;
  arrived = false;
  scrollTo(0, 0);
  element.focus({ preventScroll: true });
}

/** @param {{children?: import("../html.js").Markup}} props */
export const Heading = ({ children }) => html`<h1 tabindex="-1" ref=${begin}>${children}</h1>`;
