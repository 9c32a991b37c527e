/** The pipeline from SES to this page: all that is known of it. */

import { age } from "../format.js";
import { problemsOf } from "../health.js";
import { html } from "../html.js";
import { say } from "../words.js";
import { Heading } from "./heading.js";

/** @typedef {import("../protocol.js").Health} Health */

/** @param {{health: Health | null, page: import("./app.js").Page}} props */
export function HealthView({ health, page: { format, now } }) {
  const problems = health ? problemsOf(health, now) : [];
  /** @param {number | null | undefined} at */
  const ago = (at) => (typeof at === "number" ? age(now - at) : "–");
  /** @param {number | null} value @param {string} [unit] */
  const number = (value, unit = "") => (value === null ? "–" : `${format.count(value)}${unit}`);
  /** @type {(health: Health) => [string, string, string][]} */
  const rows = (it) => [
    ["last_event_at", "Last event", ago(it.last_event_at)],
    ["oldest_seconds", "Waiting in the queue", number(it.queue.waiting)],
    ["stream_lag_seconds", "Counting behind storing", number(it.stream_lag_seconds, " s")],
    ["dead_letters", "Set aside", number(it.dead_letters)],
    ["quarantined", "Not understood", number(it.quarantined)],
    ["unknown_types", "Of an unknown type", number(it.unknown_types)],
    ["untagged", "Without a campaign tag", number(it.untagged)],
    ["checked_at", "Checked", ago(it.checked_at)],
  ];
  return html`
    <a class="back" href="#/">← All campaigns</a>
    <${Heading}>The pipeline<//>
    <p class="facts">From SES to this page: are the numbers all that has happened?</p>
    ${problems.map(({ of, level, since, count = 0, names }) => html`
      <p key=${of} class="notice" data-level=${level}>
        ${say(`problem.${of}`, { ago: ago(since), count: format.count(count), names: names?.join(", ") })}
      </p>`)}
    ${health && !problems.length && html`<p class="notice" data-level="ok">Everything flows.</p>`}
    <section class="panel">
      ${!health && html`<p class="none">Loading…</p>`}
      ${health && html`
        <table class="pipeline">
          <tbody>
            ${rows(health).map(([key, label, value]) => html`
              <tr key=${key}>
                <th scope="row">${label}<span class="subject">${say(`health.${key}`)}</span></th>
                <td class="number" data-health=${key}>${value}</td>
              </tr>`)}
          </tbody>
        </table>`}
    </section>`;
}
