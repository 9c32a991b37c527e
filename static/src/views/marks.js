/** The incidents and the notes of a campaign as marks on the time axis of a chart. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { spanOf } from "../incident-span.js";
import { besideOf, notesOf } from "../notes.js";

/**
 * `end`: the same as `begin` for a moment.
 * @typedef {{key: string, begin: number, end: number, level?: string, label: string}} Mark in seconds since 1970
 */

/**
 * @param {{data: import("../state.js").CampaignData, from: number, to: number, step: number, repeated: boolean,
 *          format: import("../format.js").Format}} props `from` and `to` of the axis and `step` in seconds; `repeated`:
 *   whether another chart has the same marks, which screen readers read there
 */
export function Marks({ data, from, to, step, repeated, format }) {
  const incidents = [...data.incidents.values()].map((one) => ({
    key: one.incident, begin: one.began_at / 1000, end: one.ended_at === null ? to : one.ended_at / 1000, level: one.level,
    label: `${text(`incident_title.${one.kind}`, one.values) ?? one.kind}. ${spanOf(one, format)}`,
  }));
  const notes = notesOf(data).filter(({ at }) => !besideOf(at, [from, to])).map((one) => ({
    key: one.note, begin: one.at / 1000, end: one.at / 1000, label: text("notes.mark", { text: one.text, time: format.dateTime(one.at) }) ?? "",
  }));
  const lists = [
    { kind: "incidents", title: text("incident.title"), marks: incidents.filter(({ begin, end }) => begin < to && end > from) },
    { kind: "notes", title: text("notes.title"), marks: notes },
  ].filter(({ marks }) => marks.length > 0);
  return html`
    ${!repeated && lists.length > 0 && html`
      <p class="marks-legend" aria-hidden="true">${lists.map(({ kind, title }) => html`<span class=${kind}><i></i>${title}</span>`)}</p>`}
    ${lists.map(({ kind, title, marks }) => html`<${MarkList} key=${kind} ...${{ kind, title, marks, from, to, step, repeated }} />`)}`;
}

/**
 * The places follow from the width of the chart as in chart.js, but in CSS: a mark needs no measuring.
 * @param {{kind: string, title: string | undefined, marks: Mark[], from: number, to: number, step: number, repeated: boolean}} props
 */
function MarkList({ kind, title, marks, from, to, step, repeated }) {
  const second = `min((100% - 3.4em) / ${to - from}, 4em / ${step})`;
  return html`
    <ul class=${`marks ${kind}`} aria-label=${title} aria-hidden=${repeated}>
      ${marks.map(({ key, begin, end, level, label }) => {
        const left = Math.max(0, begin - from);
        return html`
          <li key=${key}>
            <i aria-hidden="true" data-level=${level} title=${label} style=${{
              left: `calc(3.4em + ${left} * ${second})`, width: `calc(${Math.min(end, to) - from - left} * ${second})`,
            }}></i>
            <bdi class="visually-hidden">${label}</bdi>
          </li>`;
      })}
    </ul>`;
}
