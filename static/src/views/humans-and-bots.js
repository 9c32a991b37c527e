/** How opens and clicks divide into humans, bots, and unknown, with an explanation. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { CountLink } from "./count-link.js";

/**
 * @typedef {import("../protocol.js").Summary} Summary
 * @typedef {import("../format.js").Format} Format
 */

/**
 * @param {{id: string, summary: Summary | null, format: Format,
 *          moved: {opens: number, clicks: number} | undefined}} props `moved`: opens and clicks
 *   that were reclassified from human to bot
 */
export function HumansAndBotsView({ id, summary, moved, format }) {
  const changes = /** @type {const} */ (["opens", "clicks"])
    .filter((what) => moved?.[what])
    .map((what) => text(`bots.${what}`, { count: format.count(moved?.[what] ?? 0) }));
  return html`
    <section class="panel" aria-labelledby="humans-and-bots-title">
      <h2 id="humans-and-bots-title">${text("bots.title")}</h2>
      <${Split} what="opens" id=${id} summary=${summary} format=${format} />
      <${Split} what="clicks" id=${id} summary=${summary} format=${format} />
      <div role="status">
        ${changes.length > 0 && html`
          <p class="notice moved">${text("bots.reclassified", { changes: changes.join(text("bots.and")) })}</p>`}
      </div>
      <details>
        <summary>${text("bots.why")}</summary>
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
      <div><dt>${text(`label.${what}`)}</dt><dd>${count(what)}</dd></div>
      <div><dt><i class="by-humans"></i>${text("bots.human")}</dt><dd>${count(`human_${what}`)}</dd></div>
      <div><dt><i class="by-bots"></i>${text("bots.bot")}</dt><dd>${count(`machine_${what}`)}</dd></div>
      <div><dt><i class="by-unknown"></i>${text("bots.unknown")}</dt><dd>${counts ? format.count(Math.max(0, total - humans - bots)) : "–"}</dd></div>
    </dl>`;
}
