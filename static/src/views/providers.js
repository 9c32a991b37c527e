/** Mailbox providers beside the campaign, and the replies of their servers with what to do. */

import { RECENT, providersOf, recent, repliesOf, sumOf, tried, troubles } from "../deliverability.js";
import { text } from "../glossary.js";
import { html } from "../html.js";

/** @typedef {import("../protocol.js").Provider} Provider */

/**
 * Numerator and denominator of each rate; that of delays is a number.
 * @type {readonly (readonly [string, (one: Provider) => number, (one: Provider) => number])[]}
 */
const RATES = [
  ["delivered", (one) => one.deliveries, tried],
  ["hard_bounces", (one) => one.hard_bounces, tried],
  ["soft_bounces", (one) => one.soft_bounces, tried],
  ["complaints", (one) => one.complaints, (one) => one.deliveries],
  ["opened", (one) => one.unique_human_opens, (one) => one.deliveries],
  ["clicked", (one) => one.unique_human_clicks, (one) => one.deliveries],
];

/** @param {string} name */
const shownName = (name) => (name === "other" ? text("providers.other") : name);

/**
 * @param {{data: import("../state.js").CampaignData, now: number, format: import("../format.js").Format}} props
 *   `now` in milliseconds since 1970
 */
export function ProvidersView({ data, now, format }) {
  const providers = providersOf(data);
  const replies = repliesOf(data);
  if (providers.length === 0) return null;
  const all = sumOf(providers);
  const lately = recent(data, now);
  /** @param {Provider} one @param {readonly string[]} marked */
  const cells = (one, marked) => RATES.map(([name, part, whole], place) => {
    const [cases, base] = [part(one), whole(one)];
    const rate = base && cases <= base ? cases / base : null;
    return html`
      ${place === 1 && html`<td role="cell" data-label=${text("providers.delivery_delays")} class=${cell("delivery_delays", marked)}>
        ${format.count(one.delivery_delays)}${latest(one)}</td>`}
      <td role="cell" data-label=${text(`providers.${name}`)} class=${cell(name, marked)}>${format.percent(rate, name === "complaints" ? 2 : 1)}</td>`;
  });
  /** @param {Provider} one */
  const latest = (one) => {
    const delays = lately.get(one.provider)?.delivery_delays ?? 0;
    return delays > 0 && html`<span class="of">${text("providers.recent", { count: format.count(delays), minutes: RECENT })}</span>`;
  };
  return html`
    <section class="panel" aria-labelledby="providers">
      <h2 id="providers">${text("providers.title")}</h2>
      <table class="providers" role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">${text("providers.provider")}</th>
            <th role="columnheader" scope="col" class="number">${text("providers.sends")}</th>
            ${["delivered", "delivery_delays", ...RATES.slice(1).map(([name]) => name)].map((name) => html`
              <th role="columnheader" scope="col" class="number">${text(`providers.${name}`)}</th>`)}
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${providers.map((one) => {
            const found = troubles(one, all);
            return html`
              <tr role="row" key=${one.provider} class=${found.length ? "trouble" : ""}>
                <th role="rowheader" scope="row">${shownName(one.provider)}
                  ${found.map((what) => html`<span class="above">▲ ${text(`providers.above_${what}`)}</span>`)}</th>
                <td role="cell" data-label=${text("providers.sends")} class="number">${format.count(one.sends)}</td>
                ${cells(one, found)}
              </tr>`;
          })}
          <tr role="row" class="average" key="">
            <th role="rowheader" scope="row">${text("providers.all")}</th>
            <td role="cell" data-label=${text("providers.sends")} class="number">${format.count(all.sends)}</td>
            ${cells(all, [])}
          </tr>
        </tbody>
      </table>
      <p class="foot">${text("providers.hint")}</p>
      ${replies.length > 0 && html`
        <h3 id="replies">${text("providers.replies")}</h3>
        <table class="replies" role="table" aria-labelledby="replies">
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col">${text("providers.reply")}</th>
              <th role="columnheader" scope="col">${text("providers.from")}</th>
              <th role="columnheader" scope="col" class="number">${text("providers.count")}</th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            ${replies.map(({ status, text: said, cause, count, providers: from }) => html`
              <tr role="row" key=${`${status} ${said}`}>
                <th role="rowheader" scope="row">
                  <b>${text(`reply_cause.${cause}`) ?? text("providers.unknown_cause")}</b>
                  <span class="quoted"><bdi dir="ltr">${status} ${said}</bdi></span>
                  ${text(`reply_advice.${cause}`) && html`<span class="advice"><b>${text(`reply_actor.${cause}`)}.</b> ${text(`reply_advice.${cause}`)}</span>`}
                </th>
                <td role="cell" data-label=${text("providers.from")}>${Object.entries(from).map(([name, number]) => html`
                  <span class="from">${shownName(name)} ${format.count(number)}</span>`)}</td>
                <td role="cell" data-label=${text("providers.count")} class="number">${format.count(count)}</td>
              </tr>`)}
          </tbody>
        </table>`}
    </section>`;
}

/** @param {string} name @param {readonly string[]} marked */
const cell = (name, marked) => (marked.includes(name) ? "number marked" : "number");
