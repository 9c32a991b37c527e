/** No campaign yet: how the first one gets here, in the words of `index.html`. */

import { html } from "../html.js";
import { Heading } from "./heading.js";

export function EmptyView() {
  const words = document.getElementById("welcome")?.innerHTML ?? "";
  return html`
    <${Heading}>Campaigns<//>
    <section class="panel empty" dangerouslySetInnerHTML=${{ __html: words }}></section>`;
}
