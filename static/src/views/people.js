/** People and machines side by side: how all opens and clicks divide, and why there are two. */

import { html } from "../html.js";
import { Leading } from "./leading.js";

/**
 * @typedef {import("../protocol.js").Summary} Summary
 * @typedef {import("../format.js").Format} Format
 */

/**
 * @param {{id: string, summary: Summary | null, format: Format,
 *          moved: {opens: number, clicks: number} | undefined}} props `moved`: what was a person's
 *   at first, and turned out to be a machine's
 */
export function PeopleView({ id, summary, moved, format }) {
  const changes = /** @type {const} */ (["opens", "clicks"])
    .filter((what) => moved?.[what])
    .map((what) => `${format.count(moved?.[what] ?? 0)} ${what}`);
  return html`
    <section class="panel" aria-labelledby="people">
      <h2 id="people">People and machines</h2>
      <${Split} what="opens" id=${id} summary=${summary} format=${format} />
      <${Split} what="clicks" id=${id} summary=${summary} format=${format} />
      <div role="status">
        ${changes.length > 0 && html`
          <p class="notice moved">${changes.join(" and ")} turned out to be a machine’s since you look,
            and numbers of people went down by as much.</p>`}
      </div>
      <details>
        <summary>Why two numbers?</summary>
        <div dangerouslySetInnerHTML=${{ __html: document.getElementById("machines")?.innerHTML ?? "" }}></div>
      </details>
    </section>`;
}

/** @param {{what: "opens" | "clicks", id: string, summary: Summary | null, format: Format}} props */
function Split({ what, id, summary, format }) {
  const counts = summary?.counts;
  const total = counts?.[what] ?? 0;
  const people = counts?.[`human_${what}`] ?? 0;
  const machines = counts?.[`machine_${what}`] ?? 0;
  /** @param {number} value */
  const share = (value) => ({ width: `${total ? (value / total) * 100 : 0}%` });
  /** @param {import("../protocol.js").Counter} name */
  const count = (name) => html`<${Leading} id=${id} name=${name} summary=${summary} format=${format} />`;
  return html`
    <div class="split" aria-hidden="true">
      <span class="by-people" style=${share(people)}></span>
      <span class="by-machines" style=${share(machines)}></span>
    </div>
    <dl class="key">
      <div><dt>All ${what}</dt><dd>${count(what)}</dd></div>
      <div><dt><i class="by-people"></i>By people</dt><dd>${count(`human_${what}`)}</dd></div>
      <div><dt><i class="by-machines"></i>By machines</dt><dd>${count(`machine_${what}`)}</dd></div>
      <div><dt><i class="by-unknown"></i>Unknown</dt><dd>${counts ? format.count(Math.max(0, total - people - machines)) : "–"}</dd></div>
    </dl>`;
}
