/** What went wrong: bounces with their reasons, complaints, unsubscribes, delays, and emails that were not sent. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { activityHash } from "../leader.js";
import { problemsOf } from "../problems.js";
import { bouncedAfterDelivery, missingEvent, shownRate } from "../rates.js";
import { isPrevented, judgeCampaign } from "../reputation.js";
import { bouncesOf } from "../select.js";
import { Count } from "./count.js";
import { Definition } from "./definition.js";
import { OneStop } from "./one-stop.js";

/**
 * @typedef {import("../protocol.js").Counter} Counter
 * @typedef {import("../protocol.js").Bounces} Bounces
 *
 * `rate`: the share of emails, as a fraction of 1; `remark`: what the number means; `reasons`: into which it divides;
 * `judged`: whether SES has a limit for it.
 * @typedef {{counter: Counter, value: number, rate?: number | null, digits?: number,
 *            judged?: import("../reputation.js").Reputation, remark?: string, reasons?: Bounces[]}} Row
 */

/** @param {string} kind such as "Permanent/NoEmail" @returns {string} what it means, or else its name */
export const meaningOf = (kind) => text(`bounce.${kind}`) ?? kind.split("/")[1] ?? kind;

/**
 * @param {{id: string, summary: import("../protocol.js").Summary | null, data: import("../state.js").CampaignData | null,
 *          format: import("../format.js").Format}} props `data`: null while it is loading
 */
export function ProblemsView({ id, summary, data, format }) {
  const problems = problemsOf(summary, data);
  return html`
    <section class="panel" aria-labelledby="problems">
      <div class="panel-head">
        <h2 id="problems">${text("problems.title")}</h2>
        <p class="span">${data && countOf(problems, format)}</p>
      </div>
      ${problems.length > 0 && html`<ul class="attention bad">${problems.map((one) => html`<li key=${one.key + one.provider}>▲ ${nameOf(one, format)}</li>`)}</ul>`}
      ${summary ? html`
        <${OneStop} class="problems" role="grid" aria-labelledby="problems">
          <tbody>${rowsOf(summary, data).map((row) => html`<${Problem} key=${row.counter} ...${{ id, row, summary, format }} />`)}</tbody>
        <//>`
      : html`<p class="none">${text("page.loading")}</p>`}
      ${summary && bouncedAfterDelivery(summary.counts) && html`<p class="foot">${text("problems.late_bounces")}</p>`}
    </section>`;
}

/** @param {import("../problems.js").Problem[]} problems @param {import("../format.js").Format} format */
export const countOf = ({ length }, format) => text(length > 1 ? "problems.several" : length ? "problems.one" : "problems.none", { count: format.count(length) });

/** @param {import("../problems.js").Problem} problem @param {import("../format.js").Format} format */
export function nameOf({ key, provider, share }, format) {
  const name = text(key, { provider: provider === "other" ? text("problems.others") : provider }) ?? key;
  // Complaints are limited to a tenth of a percent.
  return share === undefined ? name : `${name} (${format.percent(share, share < 0.01 ? 2 : 1)})`;
}

/** @param {{id: string, row: Row, summary: import("../protocol.js").Summary, format: import("../format.js").Format}} props */
function Problem({ id, row, summary, format }) {
  const { counter, value, rate, digits, judged, remark, reasons = [] } = row;
  const { level, line, count, total } = judged ? judgeCampaign(judged, summary.counts) : { level: "ok" };
  const missing = judged && missingEvent(judged, summary);
  const said = level === "bad" ? text(`campaign.${judged}_${line}`.replace("0.", ""))
    : level === "watch" ? text("campaign.too_few", { count: format.count(count), total: format.count(total) })
    : missing ? text("campaign.missing", { event: missing }) : remark;
  const name = text(`label.${counter}`);
  return html`
    <tr class=${level}>
      <th scope="row">
        ${judged ? html`<${Definition} of=${`rate.${judged}`}>${name}<//>` : name}
        ${said && html`<span class="remark">${said}</span>`}
      </th>
      <td class="number">${rate === undefined ? "" : format.percent(rate, digits)}</td>
      <td class="number"><a class="count-link" href=${activityHash(id, counter)}>
        <${Count} name=${counter} value=${value} format=${format} />
      </a></td>
    </tr>
    ${reasons.map(({ type, subtype, count: cases }) => html`
      <tr class="reason" key=${type + subtype}>
        <th scope="row" title=${`${type} · ${subtype}`}>${meaningOf(`${type}/${subtype}`)}</th>
        <td></td>
        <td class="number">${reasons.length > 1 ? html`
          <a class="count-link" href=${activityHash(id, counter, { kind: `${type}/${subtype}` })}>${format.count(cases)}</a>`
        : format.count(cases)}</td>
      </tr>`)}`;
}

/**
 * @param {import("../protocol.js").Summary} summary
 * @param {import("../state.js").CampaignData | null} data
 * @returns {Row[]} the rare ones only if there are any
 */
function rowsOf(summary, data) {
  const { counts } = summary;
  const attempted = counts.sends - (counts.prevented ?? 0);
  const bounces = data ? bouncesOf(data) : [];
  /** @param {string} type */
  const reasons = (type) => bounces.filter((one) => one.type === type && !isPrevented(one.subtype));
  /** @param {Counter} counter */
  const rare = (counter) => (Number(counts[counter]) > 0 ? [{ counter, value: Number(counts[counter]) }] : []);
  /** @param {number} count @param {number} whole */
  const share = (count, whole) => (whole > 0 && count <= whole ? count / whole : null);
  return [
    { counter: "hard_bounces", value: counts.hard_bounces, rate: shownRate("bounce", summary), judged: "bounce", reasons: reasons("Permanent") },
    { counter: "soft_bounces", value: counts.soft_bounces, rate: share(counts.soft_bounces, attempted), reasons: reasons("Transient") },
    ...rare("undetermined_bounces"),
    { counter: "complaints", value: counts.complaints, rate: shownRate("complaint", summary), digits: 2, judged: "complaint" },
    { counter: "unsubscribes", value: counts.unsubscribes, rate: shownRate("unsubscribe", summary), digits: 2 },
    { counter: "delivery_delays", value: counts.delivery_delays },
    ...rare("prevented").map((row) => ({ ...row, remark: text("problems.prevented"), reasons: bounces.filter(({ subtype }) => isPrevented(subtype)) })),
    ...rare("rendering_failures"),
    ...rare("rejects"),
  ];
}
