/** How opens and clicks divide into humans, bots, and unknown, with an explanation. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { KINDS_OF_BOTS } from "../protocol.js";
import { readRange } from "../read-range.js";
import { Count } from "./count.js";
import { CountLink } from "./count-link.js";

const WHAT = /** @type {const} */ (["opens", "clicks"]);

/**
 * @typedef {import("../protocol.js").Summary} Summary
 * @typedef {import("../format.js").Format} Format
 */

/**
 * @param {{id: string, summary: Summary | null, format: Format, moved: {opens: number, clicks: number} | undefined,
 *          unsettled: import("../protocol.js").Bucket["counts"] | null}} props
 *   `moved`: opens and clicks that were reclassified from human to bot; `unsettled`: those that still may be
 */
export function HumansAndBotsView({ id, summary, moved, unsettled, format }) {
  const range = readRange(summary);
  const changes = WHAT.filter((what) => moved?.[what])
    .map((what) => text(`bots.${what}`, { count: format.count(moved?.[what] ?? 0) }));
  return html`
    <section class="panel" aria-labelledby="humans-and-bots-title">
      <h2 id="humans-and-bots-title">${text("bots.title")}</h2>
      <p class="said">${range && text(range.likely === null ? "bots.bounds" : "bots.range", range)}</p>
      <p class="foot">${range && range.most > range.least && text("bots.of_which", { points: range.most - range.least, most: range.most })}</p>
      <${Split} what="opens" id=${id} summary=${summary} format=${format} />
      <${Split} what="clicks" id=${id} summary=${summary} format=${format} />
      <${Kinds} summary=${summary} format=${format} />
      <${Provisional} summary=${summary} unsettled=${unsettled} format=${format} />
      <div role="status">
        ${changes.length > 0 && html`
          <p class="notice moved">${text("bots.reclassified", { changes: changes.join(text("bots.and")) })}</p>`}
      </div>
      <details>
        <summary>${text("bots.why")}</summary>
        <${Label} summary=${summary} format=${format} />
        <div dangerouslySetInnerHTML=${{ __html: document.getElementById("humans-and-bots")?.innerHTML ?? "" }}></div>
      </details>
    </section>`;
}

/** @param {{what: "opens" | "clicks", id: string, summary: Summary | null, format: Format}} props */
function Split({ what, id, summary, format }) {
  const counts = summary?.counts;
  const total = counts?.[what] ?? 0;
  const humans = counts?.[`human_${what}`] ?? 0;
  const bots = counts?.[`machine_${what}`] ?? 0;
  /** @param {number} value */
  const share = (value) => ({ width: `${total ? (value / total) * 100 : 0}%` });
  /** @param {import("../protocol.js").Counter} name */
  const count = (name) => html`<${CountLink} id=${id} name=${name} summary=${summary} format=${format} />`;
  return html`
    <div class="split" aria-hidden="true">
      <span class="by-humans" style=${share(humans)}></span>
      <span class="by-unknown"></span>
      <span class="by-bots" style=${share(bots)}></span>
    </div>
    <dl class="key">
      <div><dt>${text(`label.${what}`)}</dt><dd><${Count} name=${what} value=${counts?.[what]} format=${format} /></dd></div>
      <div><dt><i class="by-humans"></i>${text("bots.human")}</dt><dd>${count(`human_${what}`)}</dd></div>
      <div><dt><i class="by-bots"></i>${text("bots.bot")}</dt><dd>${count(`machine_${what}`)}</dd></div>
      <div><dt><i class="by-unknown"></i>${text("bots.unknown")}</dt><dd>${counts ? format.count(Math.max(0, total - humans - bots)) : "–"}</dd></div>
    </dl>`;
}

/** Which bots they were, and the share of all opens and clicks. @param {{summary: Summary | null, format: Format}} props */
function Kinds({ summary, format }) {
  const kinds = KINDS_OF_BOTS.map((kind) => ({ kind, ...(summary?.bots?.kinds[kind] ?? { opens: 0, clicks: 0 }) }));
  /** @param {number} part @param {number} whole */
  const cell = (part, whole) => html`
    <td class="number">${part > 0 ? html`<span class="of">${format.percent(part / whole)}</span> ${format.count(part)}` : "–"}</td>`;
  return html`
    <table class="kinds">
      <thead>
        <tr>
          <th scope="col">${text("bots.kinds")}</th>
          ${WHAT.map((what) => html`<th scope="col" class="number" key=${what}>${text(`label.${what}`)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${kinds.map(({ kind, ...of }) => html`
          <tr key=${kind}>
            <th scope="row" title=${text(`kind_of_bot_help.${kind}`)}>${text(`kind_of_bot.${kind}`)}</th>
            ${WHAT.map((what) => cell(of[what], summary?.counts[what] || 1))}
          </tr>`)}
      </tbody>
    </table>`;
}

/**
 * The share of opens and clicks that may still be reclassified.
 * @param {{summary: Summary | null, unsettled: import("../protocol.js").Bucket["counts"] | null, format: Format}} props
 */
function Provisional({ summary, unsettled, format }) {
  const shares = WHAT.filter((what) => unsettled?.[what])
    .map((what) => text(`bots.share_of_${what}`, { share: format.percent((unsettled?.[what] ?? 0) / (summary?.counts[what] || 1)) }));
  return html`
    <p class="provisional">${shares.length > 0 && text("bots.provisional", { shares: shares.join(text("bots.and")) })}</p>`;
}

/** How SES's own label compares. @param {{summary: Summary | null, format: Format}} props */
function Label({ summary, format }) {
  const { agree, differ, absent } = summary?.bots?.ses_label ?? { agree: 0, differ: 0, absent: 0 };
  const labeled = agree + differ;
  if (labeled + absent === 0) return null;
  if (labeled === 0) return html`<p>${text("bots.unlabeled")}</p>`;
  return html`
    <p>${text("bots.labeled", {
      share: format.percent(labeled / (labeled + absent)), agree: format.percent(agree / labeled), differ: format.count(differ),
    })}</p>`;
}
