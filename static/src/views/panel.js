/** One chart with its legend, whose entries hide and show the series. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { BarChart } from "./bar-chart.js";

/**
 * @param {{title: string, onToggle: (counter: string) => void, hidden: readonly string[], children?: unknown}
 *   & import("./bar-chart.js").Props} props
 */
export function Panel({ title, onToggle, children, ...chart }) {
  const { counters, columns, format, row, hidden } = chart;
  return html`
    <div class="chart">
      <div class="legend" role="toolbar" aria-label=${title} onKeyDown=${moveFocus}>
        <h3>${title}</h3>
        ${counters.map((counter, index) => html`
          <button type="button" tabindex=${index ? -1 : 0} aria-pressed=${!hidden.includes(counter)} onClick=${() => onToggle(counter)}>
            <i class=${`line ${counter}`}></i>${text(`label.${counter}`)}
            ${typeof row === "number" && html`<b>${format.count(columns[index + 1]?.[row] ?? 0)}</b>`}
          </button>`)}
      </div>
      <${BarChart} ...${chart} />
      ${children}
    </div>`;
}

/** Move the focus within a toolbar, which is one stop of the Tab key. @param {any} event of the keyboard */
function moveFocus({ key, currentTarget }) {
  const step = Number(key === "ArrowRight") - Number(key === "ArrowLeft");
  if (!step) return;
  const buttons = [...currentTarget.querySelectorAll("button")];
  buttons.at((buttons.indexOf(document.activeElement) + step) % buttons.length)?.focus();
}
