/** The campaign's key numbers: rate, count, recent increase, human numbers beside those including bots. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { REVIEW } from "../ranking.js";
import { LATELY } from "../select.js";
import { CountLink } from "./count-link.js";
import { Definition } from "./definition.js";

/**
 * @typedef {import("../protocol.js").Counter} Counter
 * @typedef {import("../protocol.js").Counts} Counts
 * @typedef {import("../protocol.js").Summary} Summary
 * @typedef {import("../format.js").Format} Format
 */

/**
 * @param {{id: string, summary: Summary | null, format: Format, lately: Partial<Counts> | null}} props
 *   `summary`: null while it is loading; `lately`: the increase over the last minutes
 */
export function Tiles({ id, summary, format, lately }) {
  const rates = summary?.rates;
  /** @param {Counter} name */
  const count = (name) => html`<${CountLink} id=${id} name=${name} summary=${summary} format=${format} />`;
  /** @param {import("../protocol.js").RateName} name @param {number} [digits] */
  const rate = (name, digits) => format.percent(rates?.[name] ?? null, digits);
  /** @param {Counter} name */
  const total = (name) => (summary ? format.count(summary.counts[name]) : "–");
  const delivered = html`<span class="of">${text("campaign.of_delivered", { total: total("deliveries") })}</span>`;
  const pair = { rate, count, delivered };
  /** @param {Counter} name */
  const added = (name) => html`<${Added} count=${lately?.[name] ?? 0} format=${format} />`;

  return html`
    <h2 class="visually-hidden">${text("campaign.key_numbers")}</h2>
    <div class="tiles" aria-busy=${summary === null}>
      <${Tile} of="count.sends" label=${text("label.sends")} place="sent" added=${added("sends")}>
        <p class="big">${count("sends")}</p>
        <p class="foot">${count("rejects")} ${text("campaign.rejected")}, ${count("rendering_failures")} ${text("campaign.template_errors")}</p>
      <//>
      <${Tile} of="rate.delivery" label=${text("label.deliveries")} place="delivered" added=${added("deliveries")}>
        <p class="big">${rate("delivery")}</p>
        <p>${count("deliveries")} <span class="of">${text("campaign.of_sent", { total: total("sends") })}</span></p>
        <p class="foot">${count("delivery_delays")} ${text("campaign.delayed")}</p>
      <//>
      <${Tile} of="rate.human_open" label=${text("campaign.opened")} place="opened" added=${added("human_opens")}>
        <${Pair} all="open" human="human_open" ...${pair} />
      <//>
      <${Tile} of="rate.human_click" label=${text("campaign.clicked")} place="clicked" added=${added("human_clicks")}>
        <${Pair} all="click" human="human_click" ...${pair} />
      <//>
      <${Tile} of="rate.bounce" label=${text("campaign.bounced")} added=${added("hard_bounces")}
        warning=${(rates?.bounce ?? 0) >= REVIEW.bounce && text("campaign.bounce_warning")}>
        <p class="big">${rate("bounce")}</p>
        <p>${count("hard_bounces")} ${text("campaign.hard")}</p>
        <p class="foot">${count("soft_bounces")} ${text("campaign.soft")}, ${count("undetermined_bounces")} ${text("campaign.undetermined")}</p>
      <//>
      <${Tile} of="rate.complaint" label=${text("campaign.complained")} added=${added("complaints")}
        warning=${(rates?.complaint ?? 0) >= REVIEW.complaint && text("campaign.complaint_warning")}>
        <p class="big">${rate("complaint", 2)}</p>
        <p>${count("complaints")} ${delivered}</p>
      <//>
      <${Tile} of="count.unsubscribes" label=${text("label.unsubscribes")} added=${added("unsubscribes")}>
        <p class="big">${count("unsubscribes")}</p>
      <//>
    </div>`;
}

/**
 * @param {{of: string, label: string, place?: string, warning?: string | false,
 *          added?: import("../html.js").Markup, children?: import("../html.js").Markup}} props `of`:
 *   the key of its definition; `place`: its class in the style sheet
 */
function Tile({ of, label, place = "", warning, added, children }) {
  return html`
    <section class=${`tile ${place} ${warning ? "warn" : ""}`}>
      <h3><${Definition} of=${of}>${label}<//></h3>
      ${children}
      ${warning && html`<p class="warning">${warning}</p>`}
      ${added}
    </section>`;
}

/** @param {{count: number, format: Format}} props */
function Added({ count, format }) {
  // Without an increase it keeps its place, so that nothing moves when there is one.
  return html`
    <p class="added">
      ${count > 0 ? text("campaign.added", { count: format.count(count), minutes: LATELY }) : "\u00a0"}
    </p>`;
}

/**
 * @param {{all: "open" | "click", human: "human_open" | "human_click", delivered: import("../html.js").Markup,
 *          rate: (name: import("../protocol.js").RateName) => string,
 *          count: (name: Counter) => import("../html.js").Markup}} props
 */
function Pair({ all, human, rate, count, delivered }) {
  return html`
    <div class="pair">
      <div>
        <p class="who"><${Definition} of=${`rate.${human}`}>${text(`rate_label.${human}`)}<//></p>
        <p class="big human">${rate(human)}</p>
        <p>${count(`unique_${human}s`)} ${delivered}</p>
      </div>
      <div>
        <p class="who"><${Definition} of=${`rate.${all}`}>${text("campaign.including_bots")}<//></p>
        <p class="big">${rate(all)}</p>
        <p>${count(`unique_${all}s`)} ${delivered}</p>
      </div>
    </div>`;
}
