/** The campaign's four key numbers, from sent to clicked, each with its count, recent increase, and pace. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { missingEvent, shownRate } from "../rates.js";
import { LATELY } from "../select.js";
import { sendingOf } from "../sending.js";
import { Count } from "./count.js";
import { CountLink } from "./count-link.js";
import { Definition } from "./definition.js";
import { Pace, Silence } from "./pace.js";

/**
 * @typedef {import("../protocol.js").Counter} Counter
 * @typedef {import("../protocol.js").Summary} Summary
 * @typedef {import("../format.js").Format} Format
 */

/**
 * @param {{id: string, summary: Summary | null, data: import("../state.js").CampaignData | null, format: Format, now: number,
 *          lately: import("../protocol.js").Bucket["counts"] | null}} props
 *   `summary`: null while it is loading; `lately`: the increase over the last minutes
 */
export function Tiles({ id, summary, data, format, now, lately }) {
  const counts = summary?.counts;
  const number = { summary, format };
  /** @param {import("../protocol.js").RateName} name */
  const rate = (name) => format.percent(shownRate(name, summary));
  /** @param {Counter} name */
  const count = (name) => html`<${Count} name=${name} value=${counts?.[name]} format=${format} />`;
  /** @param {Counter} name */
  const link = (name) => html`<${CountLink} id=${id} name=${name} ...${number} />`;
  /** @param {Counter} name */
  const added = (name) => (lately?.[name] ? text("campaign.added", { count: format.count(lately[name]), minutes: LATELY }) : "");
  const attempted = counts && counts.sends - (counts.prevented ?? 0);
  const delivered = text("campaign.of_delivered", { total: format.count(counts?.deliveries) });
  return html`
    <h2 class="visually-hidden">${text("campaign.key_numbers")}</h2>
    <div class="tiles" aria-busy=${summary === null}>
      <${Tile} of="count.sends" label="label.sends" big=${count("sends")} added=${added("sends")}>
        <p class="foot">${data && sending(data, now, format)}</p>
        ${Number(counts?.prevented) > 0 && html`<p class="foot">${text("campaign.suppressed", { count: format.count(counts?.prevented) })}</p>`}
      <//>
      <${Tile} of="rate.delivery" label="label.deliveries" big=${rate("delivery")} added=${added("deliveries")}>
        <p>${count("deliveries")} ${text(counts?.prevented ? "campaign.of_attempted" : "campaign.of_sent", { total: format.count(attempted) })}</p>
        <${Missing} of="delivery" summary=${summary} />
      <//>
      <${Tile} of="rate.read" label="label.readers" human big=${rate("read")} added=${added("readers")}>
        <p>${link("readers")} ${delivered}</p>
        <${Missing} of="read" summary=${summary} />
        <${Bots} rate=${rate("open")} count=${count("unique_opens")} />
        <${Pace} metric="human_opens" pace=${data?.pace} deliveries=${counts?.deliveries} format=${format}>
          <${Silence} pace=${data?.pace} loading=${!data} format=${format} />
        <//>
      <//>
      <${Tile} of="rate.human_click" label="event.Click" human big=${rate("human_click")} added=${added("unique_human_clicks")}>
        <p>${link("unique_human_clicks")} ${delivered}</p>
        <${Missing} of="human_click" summary=${summary} />
        <${Bots} rate=${rate("click")} count=${count("unique_clicks")} />
        <${Pace} metric="human_clicks" pace=${data?.pace} deliveries=${counts?.deliveries} format=${format} />
      <//>
    </div>`;
}

/**
 * @param {{of: string, label: string, human?: boolean, big: import("../html.js").Markup, added: string | undefined,
 *          children?: import("../html.js").Markup}} props `of`: the key of its definition; `added`: the recent increase
 */
function Tile({ of, label, human, big, added, children }) {
  return html`
    <section class=${`tile ${of.split(".")[1]}`}>
      <h3><${Definition} of=${of}>${text(label)}<//></h3>
      <p class=${human ? "big human" : "big"}>${big} <span class="added">${added}</span></p>
      ${children}
    </section>`;
}

/** How fast emails are sent, or when the last one was. @param {import("../state.js").CampaignData} data @param {number} now @param {Format} format */
function sending(data, now, format) {
  const { last, rate } = sendingOf(data, now);
  if (rate) return text("campaign.per_minute", { count: format.count(Math.ceil(rate)) });
  return last && text("campaign.last_sent", { time: format.dateTime(last) });
}

/** Why there is no rate. @param {{of: Parameters<typeof missingEvent>[0], summary: Summary | null}} props */
function Missing({ of, summary }) {
  const event = missingEvent(of, summary);
  return event && html`<p class="foot">${text("campaign.missing", { event })}</p>`;
}

/** The same number with bots. @param {{rate: string, count: import("../html.js").Markup}} props */
function Bots({ rate, count }) {
  return html`<p class="foot">${text("campaign.including_bots")}: ${rate} · ${count}</p>`;
}
