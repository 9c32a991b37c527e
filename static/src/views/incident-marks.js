/** The incidents of a campaign as marks on the time axis of a chart. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { spanOf } from "../incident-span.js";

/**
 * The places follow from the width of the chart as in chart.js, but in CSS: a mark needs no measuring.
 * @param {{data: import("../state.js").CampaignData, from: number, to: number, step: number, repeated: boolean,
 *          format: import("../format.js").Format}} props `from` and `to` of the axis and `step` in seconds; `repeated`:
 *   whether another chart has the same marks, which screen readers read there
 */
export function IncidentMarks({ data, from, to, step, repeated, format }) {
  const second = `min((100% - 3.4em) / ${to - from}, 4em / ${step})`;
  const shown = [...data.incidents.values()]
    .map((one) => ({ ...one, begin: one.began_at / 1000, end: one.ended_at === null ? to : one.ended_at / 1000 }))
    .filter(({ begin, end }) => begin < to && end > from);
  if (shown.length === 0) return null;
  return html`
    ${!repeated && html`<p class="marks-legend" aria-hidden="true"><i></i>${text("incident.title")}</p>`}
    <ul class="marks" aria-label=${text("incident.title")} aria-hidden=${repeated}>
      ${shown.map(({ begin, end, ...one }) => {
        const label = `${text(`incident_title.${one.kind}`, one.values) ?? one.kind}. ${spanOf(one, format)}`;
        const left = Math.max(0, begin - from);
        return html`
          <li key=${one.incident}>
            <i aria-hidden="true" data-level=${one.level} title=${label} style=${{
              left: `calc(3.4em + ${left} * ${second})`, width: `calc(${Math.min(end, to) - from - left} * ${second})`,
            }}></i>
            <span class="visually-hidden">${label}</span>
          </li>`;
      })}
    </ul>`;
}
