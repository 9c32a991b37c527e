/** How long events take from SES to this page, hop by hop, against the budget. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { BUDGET, hopsOf, lasting } from "../pipeline.js";
import { Definition } from "./definition.js";

/** @param {{delays: import("../pipeline.js").Delay[] | null, page: import("./app.js").Page}} props */
export function Hops({ delays, page: { arrivals, format, now } }) {
  if (!delays?.length) return html`<p class="none">${text(delays ? "hop.none" : "hop.unknown")}</p>`;
  const hops = hopsOf(delays, arrivals, now);
  const events = Math.max(...delays.map((delay) => delay.events));
  const total = hops.at(-1);
  const isWhole = hops.some(({ hop, p50 }) => hop === "page" && p50 !== null);
  const late = (total?.p50 ?? 0) > BUDGET;
  return html`
    <p class="said">${text(late ? "hop.late" : "hop.well", { budget: BUDGET, time: lasting(total?.p50 ?? null, format), events: format.count(events) })}</p>
      <table class="pipeline hops">
        <thead>
          <tr>
            <th scope="col">${text("hop.hop")}</th>
            <th scope="col" class="number"><${Definition} of="hop_help.p50">${text("hop.p50")}<//></th>
            <th scope="col" class="number"><${Definition} of="hop_help.p99">${text("hop.p99")}<//></th>
          </tr>
        </thead>
        <tbody>
          ${hops.map(({ hop, p50, p99 }) => html`
            <tr key=${hop} data-hop=${hop}>
              <th scope="row">
                <${Definition} of=${`hop_help.${hop}`}>${text(hop === "total" && !isWhole ? "hop.counted" : `hop.${hop}`)}<//>
                ${p50 !== null && html`
                  <span class="share" data-late=${p50 > BUDGET} aria-hidden="true">
                    <span class="most" style=${{ width: share(p99 ?? 0) }}></span><span style=${{ width: share(p50) }}></span>
                  </span>`}
                ${hop === "page" && p50 === null && html`<span class="subject">${text("hop.look")}</span>`}
              </th>
              <td class="number">${lasting(p50, format)}</td>
              <td class="number">${lasting(p99, format)}</td>
            </tr>`)}
        </tbody>
      </table>`;
}

/** @param {number} seconds @returns {string} the share of the budget, of which a bar has the width */
const share = (seconds) => `${Math.min(1, Math.max(0, seconds) / BUDGET) * 100}%`;
