/** One chart with its legend, whose entries hide and show the series. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { BarChart } from "./bar-chart.js";
import { OneStop } from "./one-stop.js";

/**
 * @param {{title: string, onToggle: (counter: string) => void, hidden: readonly string[], children?: unknown}
 *   & import("./bar-chart.js").Props} props
 */
export function Panel({ title, onToggle, children, ...chart }) {
  const { counters, columns, format, row, hidden } = chart;
  return html`
    <div class="chart">
      <${OneStop} class="legend" role="toolbar" aria-label=${title}>
        <h3>${title}</h3>
        ${counters.map((counter, index) => html`
          <button type="button" aria-pressed=${!hidden.includes(counter)} onClick=${() => onToggle(counter)}>
            <i class=${`line ${counter}`}></i>${text(`label.${counter}`)}
            ${typeof row === "number" && html`<b>${format.count(columns[index + 1]?.[row] ?? 0)}</b>`}
          </button>`)}
      <//>
      <${BarChart} ...${chart} />
      ${children}
    </div>`;
}
