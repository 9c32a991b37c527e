/** The funnel from sent to clicked, by humans, and how sure the read rate is. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { bouncedAfterDelivery, readRange } from "../rates.js";
import { Definition } from "./definition.js";

/** The definition, the label, the counter, its rate of the step before, and of delivered emails. */
const STEPS = /** @type {const} */ ([
  ["count.sends", "label.sends", "sends", null, null],
  ["rate.delivery", "label.deliveries", "deliveries", "delivery", null],
  ["rate.read", "label.readers", "readers", "read", "read"],
  ["rate.human_click_to_open", "rate_label.human_click", "unique_human_clicks", "human_click_to_open", "human_click"],
]);

/** @param {{summary: import("../protocol.js").Summary | null, format: import("../format.js").Format}} props */
export function FunnelView({ summary, format }) {
  const counts = summary?.counts;
  const whole = Math.max(1, ...STEPS.map(([, , counter]) => counts?.[counter] ?? 0));
  const range = readRange(summary);
  /** @param {import("../protocol.js").RateName | null} rate */
  const percent = (rate) => (rate ? format.percent(summary?.rates[rate] ?? null) : "");
  return html`
    <section class="panel" aria-labelledby="funnel">
      <h2 id="funnel">${text("funnel.title")}</h2>
      <table class="funnel">
        <thead><tr>
          <th scope="col"><span class="visually-hidden">${text("funnel.step")}</span></th>
          ${["emails", "of_step", "of_delivered"].map((name) => html`<th scope="col" class="number">${text(`funnel.${name}`)}</th>`)}
        </tr></thead>
        <tbody>
          ${STEPS.map(([of, label, counter, ofStep, ofDelivered]) => html`
            <tr key=${counter}>
              <th scope="row">
                <${Definition} of=${of}>${text(label)}<//>
                <span class="share" aria-hidden="true">
                  <span class=${counter} style=${{ width: `${((counts?.[counter] ?? 0) / whole) * 100}%` }}></span>
                </span>
              </th>
              <td class="number">${format.count(counts?.[counter])}</td>
              <td class="number">${percent(ofStep)}</td>
              <td class="number">${percent(ofDelivered)}</td>
            </tr>`)}
        </tbody>
      </table>
      <div class="remarks">
        ${counts && Number(counts.prevented) > 0 && html`
          <p class="foot">${text("funnel.prevented", { count: format.count(counts.prevented) })}</p>`}
        ${range && html`<p class="foot">${text("funnel.range", range)}
          ${range.most > range.least && html`${" "}${text("funnel.bots", { points: range.most - range.least, most: range.most })}`}</p>`}
        ${counts && bouncedAfterDelivery(counts) && html`<p class="foot">${text("funnel.late_bounces")}</p>`}
      </div>
    </section>`;
}
