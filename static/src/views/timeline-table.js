/** The timeline of a campaign as a table. */

import { text } from "../glossary.js";
import { html } from "../html.js";

/**
 * @param {{times: number[], columns: number[][], counters: readonly string[], grain: import("../protocol.js").Grain,
 *          format: import("../format.js").Format}} props
 */
export function TimelineTable({ times, columns, counters, grain, format }) {
  const rows = times.map((_, row) => row).filter((row) => columns.some((column) => column[row])).reverse();
  return html`
    <div class="scroll" tabindex="0" role="group" aria-label=${text("timeline.table_label")}>
      <table>
        <thead><tr>
          <th scope="col">${text("timeline.time")}</th>
          ${counters.map((counter) => html`<th scope="col" class="number">${text(`label.${counter}`)}</th>`)}
        </tr></thead>
        <tbody>
          ${rows.map((row) => html`
            <tr key=${times[row]}>
              <th scope="row">${format.bucket((times[row] ?? 0) * 1000, grain)}</th>
              ${columns.map((column) => html`<td class="number">${format.count(column[row] ?? 0)}</td>`)}
            </tr>`)}
        </tbody>
      </table>
    </div>`;
}
