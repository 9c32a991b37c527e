/** The campaign's key numbers: rate and count, what has been added lately, people beside machines. */

import { html } from "../html.js";
import { REVIEW } from "../ranking.js";
import { LATELY } from "../select.js";
import { Leading } from "./leading.js";
import { Term } from "./term.js";

/**
 * @typedef {import("../protocol.js").Counter} Counter
 * @typedef {import("../protocol.js").Counts} Counts
 * @typedef {import("../protocol.js").Summary} Summary
 * @typedef {import("../format.js").Format} Format
 */

/**
 * @param {{id: string, summary: Summary | null, format: Format, lately: Partial<Counts> | null}} props
 *   `summary`: null while nothing is known; `lately`: what has been added in the last minutes
 */
export function Tiles({ id, summary, format, lately }) {
  const rates = summary?.rates;
  /** @param {Counter} name */
  const count = (name) => html`<${Leading} id=${id} name=${name} summary=${summary} format=${format} />`;
  /** @param {import("../protocol.js").RateName} name @param {number} [digits] */
  const rate = (name, digits) => format.percent(rates?.[name] ?? null, digits);
  /** @param {Counter} name */
  const added = (name) => html`<${Added} count=${lately?.[name] ?? 0} format=${format} />`;

  return html`
    <h2 class="visually-hidden">Key numbers</h2>
    <div class="tiles" aria-busy=${summary === null}>
      <${Tile} of="count.sends" label="Sent" place="sent" added=${added("sends")}>
        <p class="big">${count("sends")}</p>
        <p class="foot">${count("rejects")} rejected, ${count("rendering_failures")} not rendered</p>
      <//>
      <${Tile} of="rate.delivery" label="Delivered" place="delivered" added=${added("deliveries")}>
        <p class="big">${rate("delivery")}</p>
        <p>${count("deliveries")} of sent</p>
        <p class="foot">${count("delivery_delays")} delayed</p>
      <//>
      <${Tile} of="rate.human_open" label="Opened" place="opened" added=${added("human_opens")}>
        <${Pair} all="open" people="human_open" rate=${rate} count=${count} />
      <//>
      <${Tile} of="rate.human_click" label="Clicked" place="clicked" added=${added("human_clicks")}>
        <${Pair} all="click" people="human_click" rate=${rate} count=${count} />
      <//>
      <${Tile} of="rate.bounce" label="Bounced" added=${added("hard_bounces")}
        warning=${(rates?.bounce ?? 0) >= REVIEW.bounce && "SES reviews accounts from 5 %"}>
        <p class="big">${rate("bounce")}</p>
        <p>${count("hard_bounces")} hard</p>
        <p class="foot">${count("soft_bounces")} soft, ${count("undetermined_bounces")} undetermined</p>
      <//>
      <${Tile} of="rate.complaint" label="Complained" added=${added("complaints")}
        warning=${(rates?.complaint ?? 0) >= REVIEW.complaint && "SES reviews accounts from 0.1 %"}>
        <p class="big">${rate("complaint", 2)}</p>
        <p>${count("complaints")} of delivered</p>
      <//>
      <${Tile} of="count.unsubscribes" label="Unsubscribed" added=${added("unsubscribes")}>
        <p class="big">${count("unsubscribes")}</p>
      <//>
    </div>`;
}

/**
 * @param {{of: string, label: string, place?: string, warning?: string | false,
 *          added?: import("../html.js").Markup, children?: import("../html.js").Markup}} props `of`:
 *   what defines it; `place`: its name in the style sheet
 */
function Tile({ of, label, place = "", warning, added, children }) {
  return html`
    <section class=${`tile ${place} ${warning ? "warn" : ""}`}>
      <h3><${Term} of=${of}>${label}<//></h3>
      ${children}
      ${warning && html`<p class="warning">${warning}</p>`}
      ${added}
    </section>`;
}

/** @param {{count: number, format: Format}} props */
function Added({ count, format }) {
  // Without a number it keeps its place: nothing moves when one comes.
  return html`
    <p class="added">
      ${count > 0 ? html`+${format.count(count)} in ${LATELY} min` : "\u00a0"}
    </p>`;
}

/**
 * @param {{all: "open" | "click", people: "human_open" | "human_click",
 *          rate: (name: import("../protocol.js").RateName) => string,
 *          count: (name: Counter) => import("../html.js").Markup}} props
 */
function Pair({ all, people, rate, count }) {
  return html`
    <div class="pair">
      <div>
        <p class="who"><${Term} of=${`rate.${people}`}>by people<//></p>
        <p class="big people">${rate(people)}</p>
        <p>${count(`unique_${people}s`)} of delivered</p>
      </div>
      <div>
        <p class="who"><${Term} of=${`rate.${all}`}>incl. machines<//></p>
        <p class="big">${rate(all)}</p>
        <p>${count(`unique_${all}s`)} of delivered</p>
      </div>
    </div>`;
}
