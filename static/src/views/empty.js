/** Shown while there is no campaign: how to connect SES, from a template in `index.html`. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { Heading } from "./heading.js";

export function EmptyView() {
  const welcome = document.getElementById("welcome")?.innerHTML ?? "";
  return html`
    <${Heading}>${text("list.title")}<//>
    <section class="panel empty" dangerouslySetInnerHTML=${{ __html: welcome }}></section>`;
}
