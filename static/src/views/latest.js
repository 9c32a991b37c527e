/** The latest events of a campaign, live. */

import { keyOf } from "../protocol.js";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { activityHash } from "../leader.js";
import { EventRow } from "./event.js";

/** @param {{id: string, data: import("../state.js").CampaignData | null, format: import("../format.js").Format}} props */
export function LatestView({ id, data, format }) {
  const rows = data?.activity ?? [];
  return html`
    <section class="panel" aria-labelledby="latest">
      <div class="panel-head">
        <h2 id="latest">${text("activity.live")}</h2>
        <p class="span">${text("page.zone", { zone: format.zone })}</p>
        <a class="button" href=${activityHash(id, "all")}>${text("label.all")}</a>
      </div>
      ${rows.length > 0 && html`
        <table class="events">
          <tbody>${rows.map((one) => html`<${EventRow} key=${keyOf(one)} one=${one} format=${format} />`)}</tbody>
        </table>`}
      ${rows.length === 0 && html`<p class="none">${text(data ? "activity.none_live" : "page.loading")}</p>`}
    </section>`;
}
