/** Why mails came back, in plain words, the most frequent reason first. */

import { html } from "../html.js";
import { activityHash } from "../lead.js";
import { bouncesOf } from "../select.js";
import { say } from "../words.js";

const COUNTERS = /** @type {Record<string, string>} */ ({
  Permanent: "hard_bounces", Transient: "soft_bounces", Undetermined: "undetermined_bounces",
});
const KINDS = /** @type {Record<string, string>} */ ({ Permanent: "hard", Transient: "soft", Undetermined: "undetermined" });

/**
 * @param {{id: string, data: import("../state.js").CampaignData | null,
 *          format: import("../format.js").Format}} props `data`: null while nothing is known
 */
export function BouncesView({ id, data, format }) {
  const bounces = data ? bouncesOf(data) : [];
  return html`
    <section class="panel" aria-labelledby="bounces">
      <h2 id="bounces">Bounces</h2>
      ${bounces.length === 0 && html`<p class="none">${data ? "Nothing came back." : "Loading…"}</p>`}
      ${bounces.length > 0 && html`
        <table class="bounces">
          <tbody>
            ${bounces.map(({ type, subtype, count }) => html`
              <tr key=${type + subtype}>
                <th scope="row">
                  ${say(`bounce.${type}/${subtype}`) ?? subtype}
                  <span class="subject">${KINDS[type] ?? type} · ${subtype}</span>
                </th>
                <td class="number">
                  <a class="leads" href=${activityHash(id, COUNTERS[type] ?? "all", { kind: `${type}/${subtype}` })}>${format.count(count)}</a>
                </td>
              </tr>`)}
          </tbody>
        </table>`}
    </section>`;
}
