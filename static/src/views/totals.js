/** The sums of the campaigns that match, above the list. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { missingEvent, shownRate } from "../rates.js";
import { isOfEarlierRelease } from "../totals.js";
import { Definition } from "./definition.js";

/** Rate, counter, and digits of the rate. */
const CELLS = /** @type {const} */ ([
  [null, "sends", 0], ["delivery", "deliveries", 1], ["read", "readers", 1], ["human_open", "unique_human_opens", 1],
  ["human_click", "unique_human_clicks", 1], ["bounce", "hard_bounces", 1], ["complaint", "complaints", 2],
  ["unsubscribe", "unsubscribes", 2],
]);

/**
 * @param {{title: string | undefined, sums: import("../totals.js").Sums | null, asOf: number | null, now: number,
 *          format: import("../format.js").Format}} props `sums`: null while they are loading; `asOf`: null if they
 *   are live
 */
export function Totals({ title, sums, asOf, now, format }) {
  const summary = /** @type {any} */ (sums);
  const isCurrent = sums !== null && !isOfEarlierRelease(sums);
  return html`
    <section class="panel totals" aria-busy=${sums === null}>
      <div class="panel-head">
        <h2>${title}</h2>
        <p class="span">${asOf !== null && text("list.as_of", { time: format.clock(asOf, now) })}</p>
      </div>
      <dl>
        ${CELLS.map(([rate, counter, digits]) => {
          const missing = rate && isCurrent && missingEvent(rate, summary);
          const count = format.count(sums?.counts[counter]);
          return html`
            <div>
              <dt><${Definition} of=${rate ? `rate.${rate}` : `count.${counter}`}>${text(`rate_label.${rate}`) ?? text(`label.${counter}`)}<//></dt>
              <dd data-total=${counter}>
                <b>${rate ? format.percent(shownRate(rate, summary), digits) : count}</b>
                ${rate && html`<span>${count}</span>`}
                ${missing && html`<span class="foot">${text("campaign.missing", { event: missing })}</span>`}
              </dd>
            </div>`;
        })}
      </dl>
      ${sums && !isCurrent && html`
        <p class="foot">${text("list.earlier_release")} <code>${text("list.recount_command")}</code></p>`}
    </section>`;
}
