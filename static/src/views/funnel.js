/** The funnel from sent to clicked. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { Definition } from "./definition.js";

const STEPS = /** @type {const} */ ([
  ["count.sends", "label.sends", "sends", null],
  ["rate.delivery", "rate_label.delivery", "deliveries", "delivery"],
  ["rate.human_open", "rate_label.human_open", "unique_human_opens", "human_open"],
  ["rate.human_click", "rate_label.human_click", "unique_human_clicks", "human_click"],
]);

/** @param {{summary: import("../protocol.js").Summary | null, format: import("../format.js").Format}} props */
export function FunnelView({ summary, format }) {
  const whole = Math.max(1, ...STEPS.map(([, , counter]) => summary?.counts[counter] ?? 0));
  return html`
    <section class="panel" aria-labelledby="funnel">
      <h2 id="funnel">${text("funnel.title")}</h2>
      <table class="funnel">
        <thead class="visually-hidden"><tr>
          ${["step", "emails", "rate"].map((name) => html`<th scope="col">${text(`funnel.${name}`)}</th>`)}
        </tr></thead>
        <tbody>
          ${STEPS.map(([of, label, counter, rate]) => html`
            <tr key=${counter}>
              <th scope="row">
                <${Definition} of=${of}>${text(label)}<//>
                <span class="share" aria-hidden="true">
                  <span class=${counter} style=${{ width: `${((summary?.counts[counter] ?? 0) / whole) * 100}%` }}></span>
                </span>
              </th>
              <td class="number">${summary ? format.count(summary.counts[counter]) : "–"}</td>
              <td class="number">${rate ? format.percent(summary?.rates[rate] ?? null) : ""}</td>
            </tr>`)}
        </tbody>
      </table>
      <p class="foot">${text("funnel.base")}<br />
        <${Definition} of="rate.click_to_open">${text("funnel.click_to_open")}<//>${text("funnel.with_bots", { rate: format.percent(summary?.rates.click_to_open ?? null) })}</p>
    </section>`;
}
