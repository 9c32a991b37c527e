/** A view's heading. After navigation, the page scrolls to the top and focuses it. */

import { html } from "../html.js";

let arrived = false;

addEventListener("hashchange", () => { arrived = true; });

/** @param {HTMLElement | null} element of a heading that has just been mounted */
function begin(element) {
  if (!element || !arrived) return;
  arrived = false;
  scrollTo(0, 0);
  element.focus({ preventScroll: true });
}

/** @param {{children?: import("../html.js").Markup}} props */
export const Heading = ({ children }) => html`<h1 tabindex="-1" ref=${begin}>${children}</h1>`;
