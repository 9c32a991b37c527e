/** No campaign yet: how the first one gets here, in the words of `index.html`. */

import { html } from "../html.js";

export function EmptyView() {
  const words = document.getElementById("welcome")?.innerHTML ?? "";
  return html`
    <h1 tabindex="-1">Campaigns</h1>
    <section class="panel empty" dangerouslySetInnerHTML=${{ __html: words }}></section>`;
}
