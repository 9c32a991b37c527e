/** The pipeline from SES to this page: problems and all measurements. */

import { age } from "../format.js";
import { levelOf, problemsOf } from "../health.js";
import { html } from "../html.js";
import { text } from "../glossary.js";
import { comparisonOf, delaysOf, recountsOf } from "../pipeline.js";
import { Settings } from "./alarms.js";
import { Heading } from "./heading.js";
import { Hops } from "./hops.js";
import { Reconciliation, Recounts, Runways } from "./reconciliation.js";

/** @typedef {import("../protocol.js").Health} Health */

/** @param {{data: import("../state.js").HealthData | null, page: import("./app.js").Page}} props */
export function HealthView({ data, page }) {
  const { format, now, status } = page;
  const health = data?.health ?? null;
  const compared = comparisonOf(data?.results?.reconciliation);
  const problems = health ? problemsOf(health, now) : [];
  /** @param {number | null | undefined} at */
  const ago = (at) => (typeof at === "number" ? age(now - at) : "–");
  /** @param {number | null} value @param {string} [unit] */
  const number = (value, unit = "") => (value === null ? "–" : `${format.count(value)}${unit}`);
  /** @type {(health: Health) => [string, string][]} */
  const rows = (it) => [
    ["last_event_at", ago(it.last_event_at)],
    ["waiting", number(it.queue.waiting)],
    ["oldest_seconds", number(it.queue.oldest_seconds, " s")],
    ["stream_lag_seconds", number(it.stream_lag_seconds, " s")],
    ["shown", ago(status.lastMessageAt)],
    ["dead_letters", number(it.dead_letters)],
    ["quarantined", number(it.quarantined)],
    ["unknown_types", number(it.unknown_types)],
    ["untagged", number(it.untagged)],
    ["checked_at", ago(it.checked_at)],
  ];
  return html`
    <a class="back" href="#/">← ${text("page.all_campaigns")}</a>
    <${Heading}>${text("pipeline.title")}<//>
    <p class="facts">${text("pipeline.about")}</p>
    ${problems.map(({ of, level, since, count = 0, names }) => html`
      <p key=${of} class="notice" data-level=${level}>
        ${text(`problem.${of}`, { ago: ago(since), count: format.count(count), names: names?.join(", ") })}
      </p>`)}
    ${health && !problems.length && html`<p class="notice" data-level="ok">${text(`pipeline.${levelOf(health, now)}`)}</p>`}
    <section class="panel">
      ${!health && html`<p class="none">${text("page.loading")}</p>`}
      ${health && html`
        <table class="pipeline">
          <tbody>
            ${rows(health).map(([key, value]) => html`
              <tr key=${key}>
                <th scope="row">${text(`pipeline.${key}`)}<span class="subject">${text(`health.${key}`)}</span></th>
                <td class="number" data-health=${key}>${value}</td>
              </tr>`)}
          </tbody>
        </table>`}
    </section>
    ${data && html`
      <section class="panel">
        <h2>${text("hop.title")}</h2>
        <${Hops} delays=${delaysOf(data.delays)} page=${page} />
      </section>`}
    ${data?.alarms?.may_change && html`
      <section class="panel alarms" aria-labelledby="alarms">
        <h2 id="alarms">${text("incident.settings_of_all")}</h2>
        <p class="foot">${text("incident.about_all")}</p>
        <${Settings} ...${{ id: null, alarms: data.alarms, defaults: null, page }} />
      </section>`}
    ${data?.results && html`
      <section class="panel">
        <h2>${text("reconciled.title")}</h2>
        ${compared ? html`<${Reconciliation} found=${compared} format=${format} />` : html`<p class="none">${text("reconciled.none")}</p>`}
      </section>
      ${compared?.state === "compared" && html`
        <section class="panel">
          <h2>${text("runway.title")}</h2>
          <${Runways} found=${compared} format=${format} />
        </section>`}
      <section class="panel">
        <h2>${text("recount.title")}</h2>
        <${Recounts} recounts=${recountsOf(data.results.recounts) ?? []} format=${format} />
      </section>`}`;
}
