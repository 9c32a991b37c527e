/** Bounces by reason, the most frequent reason first; apart from them, replies and emails that were not sent. */

import { html } from "../html.js";
import { activityHash } from "../leader.js";
import { isPrevented } from "../reputation.js";
import { bouncesOf } from "../select.js";
import { text } from "../glossary.js";

const COUNTERS = /** @type {Record<string, string>} */ ({
  Permanent: "hard_bounces", Transient: "soft_bounces", Undetermined: "undetermined_bounces",
});

/** @param {string} kind such as "Permanent/NoEmail" @returns {string} what it means, or else its name */
export const meaningOf = (kind) => text(`bounce.${kind}`) ?? kind.split("/")[1] ?? kind;

/**
 * @param {{id: string, data: import("../state.js").CampaignData | null,
 *          format: import("../format.js").Format}} props `data`: null while it is loading
 */
export function BouncesView({ id, data, format }) {
  const bounces = data ? bouncesOf(data) : [];
  return html`
    <section class="panel" aria-labelledby="bounces">
      <h2 id="bounces">${text("activity.bounces")}</h2>
      ${bounces.length === 0 && html`<p class="none">${text(data ? "activity.no_bounces" : "page.loading")}</p>`}
      ${bounces.length > 0 && html`
        <table class="bounces">
          <tbody>
            ${bounces.map(({ type, subtype, count }) => html`
              <tr key=${type + subtype}>
                <th scope="row">
                  ${meaningOf(`${type}/${subtype}`)}
                  <span class="subject">${isPrevented(subtype) ? text("activity.not_a_bounce") : text(`bounce_type.${type}`) ?? type} · ${subtype}</span>
                </th>
                <td class="number">
                  <a class="count-link" href=${activityHash(id, isPrevented(subtype) ? "prevented" : COUNTERS[type] ?? "all", { kind: `${type}/${subtype}` })}>${format.count(count)}</a>
                </td>
              </tr>`)}
          </tbody>
        </table>`}
    </section>`;
}
