/** Our numbers of a day beside SES's own, how far the account is from SES's limits, and the last recounts. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { about, countsTooLittle, isBelowReview, isConspicuous, kindOf, lineOf, metricsOf, unexplainedOf } from "../pipeline.js";
import { Definition } from "./definition.js";

/**
 * @typedef {import("../pipeline.js").Comparison} Comparison
 * @typedef {import("../format.js").Format} Format
 */

/** @param {{found: Comparison, format: Format}} props */
export function Reconciliation({ found, format }) {
  const day = format.day(found.day);
  if (found.state !== "compared") return html`<p class="said">${text(`reconciled.${found.state}`, { day }) ?? text("reconciled.failed", { day })}</p>`;
  const metrics = metricsOf(found);
  const conspicuous = metrics.some(isConspicuous);
  const rest = unexplainedOf(found);
  const verdict = !metrics.length ? "nothing" : conspicuous ? "differs" : rest ? "nearly" : "agrees";
  return html`
    <p class="said">${text(`reconciled.${verdict}`, { day, count: format.count(rest) })}</p>
    ${metrics.length > 0 && html`
        <table class="pipeline reconciled">
          <thead>
            <tr>
              <th scope="col">${text("reconciled.metric")}</th>
              <th scope="col" class="number">${text("reconciled.ours")}</th>
              <th scope="col" class="number">${text("reconciled.ses")}</th>
              <th scope="col" class="number"><${Definition} of="reconciled_help.difference">${text("reconciled.difference")}<//></th>
            </tr>
          </thead>
          <tbody>
            ${metrics.map((metric) => html`
              <tr key=${metric.metric} data-metric=${metric.metric}>
                <th scope="row">
                  ${text(`reconciled_metric.${metric.metric}`) ?? metric.metric}
                  <span class="subject">${explanation(metric, format)}</span>
                </th>
                <td class="number">${format.count(metric.ours)}</td>
                <td class="number">${format.count(metric.ses)}</td>
                <td class="number" data-late=${isConspicuous(metric)}>${difference(metric, format)}</td>
              </tr>`)}
          </tbody>
        </table>`}
    ${conspicuous && html`<p class="foot">${text("reconciled.remedy")}</p>`}`;
}

/** @param {import("../pipeline.js").Metric} metric @param {Format} format */
function difference({ ours, ses }, format) {
  if (ses === null) return "–";
  const more = ours - ses;
  return more ? `${more > 0 ? "+" : "−"}${format.count(Math.abs(more))}` : "0";
}

/** @param {import("../pipeline.js").Metric} metric @param {Format} format */
function explanation({ ses, explained, unexplained, causes }, format) {
  if (ses === null) return text("reconciled.unpublished_metric");
  const parts = unexplained ? [text("reconciled.unexplained", { count: format.count(Math.abs(unexplained)) })] : [];
  if (explained) {
    parts.push(...causes.map(({ name, most }) => text("reconciled.cause", {
      cause: text(`cause.${name}`) ?? name, most: format.count(most),
    })));
  }
  return parts.join("; ");
}

/** @param {{found: Comparison, format: Format}} props */
export function Runways({ found, format }) {
  if (!found.runways.length) return html`<p class="none">${text("runway.unknown_rates")}</p>`;
  return html`
    ${found.runways.map((runway) => {
      const { kind, rate, remaining, low, high, is_matched: isMatched } = runway;
      /** @param {number | null} value */
      const number = (value) => format.count(about(value ?? 0));
      const values = {
        kind: text(`runway_kind.${kind}`), line: format.percent(lineOf(runway), 1), remaining: number(remaining), low: number(low),
        high: number(high), what: text(isBelowReview(runway) ? "runway.review" : "runway.pause"),
      };
      return html`
        <p key=${kind} class="result" data-runway=${kind}>
          <b>${text("runway.rate", { kind: text(`runway_rate.${kind}`), rate: format.percent(rate, 2) })}</b>
          ${" "}${text(`runway.${kindOf(runway)}`, values)}${!isMatched && remaining !== null && ` ${text("runway.doubt")}`}
        </p>`;
    })}
    <p class="foot">${text(countsTooLittle(found) ? "runway.farther" : "runway.basis", { share: format.percent(found.share, 0), days: found.days })}</p>`;
}

/** @param {{recounts: import("../pipeline.js").Recount[], format: Format}} props */
export function Recounts({ recounts, format }) {
  return html`
    ${!recounts.some(({ of }) => of === null) && html`<p class="result">${text("recount.none")}</p>`}
    ${recounts.map(({ at, of, campaigns, facts, counters, differences, drift, applied }) => html`
      <p key=${of} class="result" data-recount=${of ?? "all"}>
        ${text(of === null ? "recount.all" : "recount.one", {
          of, time: format.dateTime(at), campaigns: format.count(campaigns), counters: format.count(counters), facts: format.count(facts),
        })}
        ${" "}${text(`recount.${!differences ? "clean" : applied ? "corrected" : "differs"}`, { differences: format.count(differences), drift: format.count(drift) })}
      </p>`)}`;
}
