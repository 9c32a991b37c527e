/** What became of the mails, step by step. */

import { html } from "../html.js";
import { Term } from "./term.js";

const STEPS = /** @type {const} */ ([
  ["count.sends", "Sent", "sends", null],
  ["rate.delivery", "Delivered", "deliveries", "delivery"],
  ["rate.human_open", "Opened by people", "unique_human_opens", "human_open"],
  ["rate.human_click", "Clicked by people", "unique_human_clicks", "human_click"],
]);

/** @param {{summary: import("../protocol.js").Summary | null, format: import("../format.js").Format}} props */
export function FunnelView({ summary, format }) {
  const whole = Math.max(1, ...STEPS.map(([, , counter]) => summary?.counts[counter] ?? 0));
  return html`
    <section class="panel" aria-labelledby="funnel">
      <h2 id="funnel">From sent to clicked</h2>
      <table class="funnel">
        <thead class="visually-hidden"><tr>
          <th scope="col">Step</th><th scope="col">Messages</th><th scope="col">Rate</th>
        </tr></thead>
        <tbody>
          ${STEPS.map(([of, label, counter, rate]) => html`
            <tr key=${counter}>
              <th scope="row">
                <${Term} of=${of}>${label}<//>
                <span class="share" aria-hidden="true">
                  <span class=${counter} style=${{ width: `${((summary?.counts[counter] ?? 0) / whole) * 100}%` }}></span>
                </span>
              </th>
              <td class="number">${summary ? format.count(summary.counts[counter]) : "–"}</td>
              <td class="number">${rate ? format.percent(summary?.rates[rate] ?? null) : ""}</td>
            </tr>`)}
        </tbody>
      </table>
      <p class="foot">Opened and clicked are of delivered.<br />
        Of the messages opened, ${format.percent(summary?.rates.click_to_open ?? null)} were <${Term} of="rate.click_to_open">clicked too<//>.</p>
    </section>`;
}
