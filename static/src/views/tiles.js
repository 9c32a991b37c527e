/** The campaign's key numbers: rate, count, recent increase, human numbers beside those including bots. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { activityHash } from "../leader.js";
import { missingEvent, shownRate } from "../rates.js";
import { AUTO_REPLY, judgeCampaign } from "../reputation.js";
import { LATELY, autoReplies } from "../select.js";
import { CountLink } from "./count-link.js";
import { Definition } from "./definition.js";

/**
 * @typedef {import("../protocol.js").Counter} Counter
 * @typedef {import("../protocol.js").Summary} Summary
 * @typedef {import("../format.js").Format} Format
 */

/**
 * @param {{id: string, summary: Summary | null, data: import("../state.js").CampaignData | null, format: Format,
 *          lately: import("../protocol.js").Bucket["counts"] | null}} props
 *   `summary`: null while it is loading; `lately`: the increase over the last minutes
 */
export function Tiles({ id, summary, data, format, lately }) {
  /** @param {Counter} name */
  const count = (name) => html`<${CountLink} id=${id} name=${name} summary=${summary} format=${format} />`;
  /** @param {import("../protocol.js").RateName} name @param {number} [digits] */
  const rate = (name, digits) => format.percent(shownRate(name, summary), digits);
  /** @param {Counter} name */
  const total = (name) => format.count(summary?.counts[name]);
  const delivered = html`<span class="of">${text("campaign.of_delivered", { total: total("deliveries") })}</span>`;
  const pair = { rate, count, delivered };
  /** @param {Counter} name */
  const added = (name) => html`<${Added} count=${lately?.[name] ?? 0} format=${format} />`;
  /** @param {Parameters<typeof missingEvent>[0]} name */
  const missing = (name) => {
    const event = missingEvent(name, summary);
    return event && html`<p class="foot">${text("campaign.missing", { event })}</p>`;
  };
  const replies = autoReplies(data);
  const prevented = summary?.counts.prevented ?? 0;

  return html`
    <h2 class="visually-hidden">${text("campaign.key_numbers")}</h2>
    <div class="tiles" aria-busy=${summary === null}>
      <${Tile} of="count.sends" label=${text("label.sends")} place="sent" added=${added("sends")}>
        <p class="big">${count("sends")}</p>
        <p class="foot">${count("prevented")} ${text("campaign.prevented")}</p>
        <p class="foot">${count("rejects")} ${text("campaign.rejected")}, ${count("rendering_failures")} ${text("campaign.template_errors")}</p>
      <//>
      <${Tile} of="rate.delivery" label=${text("label.deliveries")} place="delivered" added=${added("deliveries")}>
        <p class="big">${rate("delivery")}</p>
        <p>${count("deliveries")} <span class="of">${text(prevented ? "campaign.of_attempted" : "campaign.of_sent", { total: format.count(summary && summary.counts.sends - prevented) })}</span></p>
        <p class="foot">${count("delivery_delays")} ${text("campaign.delayed")}</p>
        ${missing("delivery")}
      <//>
      <${Tile} of="rate.read" label=${text("campaign.opened")} place="opened" added=${added("readers")}>
        <${Pair} all="open" human="read" humans="readers" ...${pair} />
        ${missing("read")}
      <//>
      <${Tile} of="rate.human_click" label=${text("campaign.clicked")} place="clicked" added=${added("unique_human_clicks")}>
        <${Pair} all="click" human="human_click" humans="unique_human_clicks" ...${pair} />
        ${missing("human_click")}
      <//>
      <${Tile} of="rate.bounce" label=${text("campaign.bounced")} added=${added("hard_bounces")} reputation=${["bounce", summary, format]}>
        <p class="big">${rate("bounce")}</p>
        <p>${count("hard_bounces")} ${text("campaign.hard")}</p>
        <p class="foot">
          <a class="count-link" href=${activityHash(id, "soft_bounces")}><data class="count" data-metric="soft_bounces" data-value=${summary?.counts.soft_bounces}>${format.count(summary && Math.max(0, summary.counts.soft_bounces - replies))}</data></a>
          ${" "}${text("campaign.soft")}, ${count("undetermined_bounces")} ${text("campaign.undetermined")}
        </p>
        <p class="foot">
          <a class="count-link" href=${activityHash(id, "soft_bounces", { kind: `Transient/${AUTO_REPLY}` })}>${format.count(data && replies)}</a> ${text("campaign.replies")}
        </p>
        ${missing("bounce")}
      <//>
      <${Tile} of="rate.complaint" label=${text("campaign.complained")} added=${added("complaints")} reputation=${["complaint", summary, format]}>
        <p class="big">${rate("complaint", 2)}</p>
        <p>${count("complaints")} ${delivered}</p>
        ${missing("complaint")}
      <//>
      <${Tile} of="rate.unsubscribe" label=${text("label.unsubscribes")} added=${added("unsubscribes")}>
        <p class="big">${rate("unsubscribe")}</p>
        <p>${count("unsubscribes")} ${delivered}</p>
        ${missing("unsubscribe")}
      <//>
    </div>`;
}

/**
 * @param {{of: string, label: string, place?: string,
 *          reputation?: [import("../reputation.js").Reputation, Summary | null, Format],
 *          added?: import("../html.js").Markup, children?: import("../html.js").Markup}} props `of`:
 *   the key of its definition; `place`: its class in the style sheet
 */
function Tile({ of, label, place = "", reputation, added, children }) {
  const [rate, summary, format] = reputation ?? [];
  const { level, line, count, total } = rate ? judgeCampaign(rate, summary?.counts) : { level: "ok" };
  return html`
    <section class=${`tile ${place} ${level}`}>
      <h3><${Definition} of=${of}>${label}<//></h3>
      ${children}
      ${level === "bad" && html`<p class="warning">${text(`campaign.${rate}_${line}`.replace("0.", ""))}</p>`}
      ${level === "watch" && html`<p class="warning">${text("campaign.too_few", { count: format?.count(count), total: format?.count(total) })}</p>`}
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
 * @param {{all: "open" | "click", human: "read" | "human_click", humans: Counter, delivered: import("../html.js").Markup,
 *          rate: (name: import("../protocol.js").RateName) => string,
 *          count: (name: Counter) => import("../html.js").Markup}} props
 */
function Pair({ all, human, humans, rate, count, delivered }) {
  return html`
    <div class="pair">
      <div>
        <p class="who"><${Definition} of=${`rate.${human}`}>${text(`rate_label.${human}`)}<//></p>
        <p class="big human">${rate(human)}</p>
        <p>${count(humans)} ${delivered}</p>
      </div>
      <div>
        <p class="who"><${Definition} of=${`rate.${all}`}>${text("campaign.including_bots")}<//></p>
        <p class="big">${rate(all)}</p>
        <p>${count(`unique_${all}s`)} ${delivered}</p>
      </div>
    </div>`;
}
