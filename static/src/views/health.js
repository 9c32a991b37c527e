/** The pipeline from SES to this page: a word in the header, and all that is known of it. */

import { age } from "../format.js";
import { problemsOf } from "../health.js";
import { html } from "../html.js";

/** @typedef {import("../protocol.js").Health} Health */

/**
 * @param {{health: Health | null, now: number}} props `health`: null while it is not known
 */
export function HealthLink({ health, now }) {
  if (!health) return null;
  const problems = problemsOf(health, now);
  const late = problems.some(({ level }) => level === "late");
  const level = late ? "late" : problems.length ? "note" : "ok";
  const words = late ? "Numbers are late" : problems.length ? "Pipeline: look" : "Pipeline OK";
  return html`
    <a class="health" href="#/health" data-level=${level}>
      <span aria-hidden="true">${level === "ok" ? "✓" : "!"}</span>
      <span role="status">${words}</span>
    </a>`;
}

/** @param {{health: Health | null, page: import("./app.js").Page}} props */
export function HealthView({ health, page: { format, now } }) {
  const problems = health ? problemsOf(health, now) : [];
  /** @param {number | null} at */
  const ago = (at) => (at === null ? "–" : age(now - at));
  /** @param {number | null} value @param {string} [unit] */
  const number = (value, unit = "") => (value === null ? "–" : `${format.count(value)}${unit}`);
  /** @type {(health: Health) => [keyof Health, string, string, string][]} */
  const rows = (it) => [
    ["lastEventAt", "Last event", ago(it.lastEventAt), "When SES's newest report was stored."],
    ["oldestSeconds", "Waiting in the queue", number(it.waiting), "Events that SES has reported and that are not stored yet."],
    ["lagSeconds", "Counting behind storing", number(it.lagSeconds, " s"), "Age of the oldest stored event that is not counted yet."],
    ["deadLetters", "Set aside", number(it.deadLetters), "Messages that are no event of SES, kept with the reason."],
    ["quarantined", "Not understood", number(it.quarantined), "Stored records that could not be counted."],
    ["unknownTypes", "Of an unknown type", number(it.unknownTypes), "Events of a type that SES has added since."],
    ["untagged", "Without a campaign tag", number(it.untagged), "Counted under their configuration set, or under “untagged”."],
    ["checkedAt", "Checked", ago(it.checkedAt), "It is checked each minute."],
  ];
  return html`
    <a class="back" href="#/">← All campaigns</a>
    <h1 tabindex="-1">The pipeline</h1>
    <p class="facts">From SES to this page: are the numbers all that has happened?</p>
    ${problems.map(({ of, level, text }) => html`
      <p key=${of} class="notice" data-level=${level}>${text}</p>`)}
    ${health && !problems.length && html`<p class="notice" data-level="ok">Everything flows.</p>`}
    <section class="panel">
      ${!health && html`<p class="none">Loading…</p>`}
      ${health && html`
        <table class="pipeline">
          <tbody>
            ${rows(health).map(([key, label, value, meaning]) => html`
              <tr key=${key}>
                <th scope="row">${label}<span class="subject">${meaning}</span></th>
                <td class="number" data-health=${key}>${value}</td>
              </tr>`)}
          </tbody>
        </table>`}
    </section>`;
}
