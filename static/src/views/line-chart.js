/** A chart of shares by age, a line per series, as SVG: it prints, and follows the colors of the system. */

import { html } from "../html.js";
import { DASHES, linesOf, markOf } from "../line-chart.js";
import { Measured } from "./measured.js";

/** Half of the size of a mark, in em. */
const MARK = 0.32;

/**
 * @typedef {{ages: number[], series: number[][], row: number | null, format: import("../format.js").Format,
 *            ageLabel: (seconds: number) => string, onPoint: (row: number | null) => void}} Props `row` is the
 *   number of the age at the pointer
 * @extends {Measured<Props>}
 */
export class LineChart extends Measured {
  /** @type {import("../line-chart.js").Lines | null} */
  #lines = null;

  /** @param {PointerEvent} event */
  #move = (event) => this.props.onPoint(this.#lines?.rowAt(this.leftOf(event)) ?? null);

  render() {
    const { ages, series, row, format, ageLabel, onPoint } = this.props;
    const { width, height, em } = this.state;
    const lines = width > 0 ? linesOf({ ages, series, width, height, em }) : null;
    this.#lines = lines;
    const at = row === null ? undefined : ages[row];
    return html`
      <div class="plot tall" ref=${this.element} aria-hidden="true" onPointerMove=${this.#move} onPointerDown=${this.#move} onPointerLeave=${() => onPoint(null)}>
        ${lines && html`
          <svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`}>
            ${lines.lines.map(({ y, value }) => html`
              <line class="grid" x1=${lines.left} x2=${width} y1=${y} y2=${y} />
              <text x=${lines.left - em / 2} y=${y} dy=".32em" text-anchor="end">${format.percent(value, lines.digits)}</text>`)}
            ${lines.ticks.map(({ x, age }) => html`
              <line class="grid" x1=${x} x2=${x} y1=${lines.bottom} y2=${lines.bottom + em / 3} />
              <text x=${x} y=${height - em / 3} text-anchor="middle">${ageLabel(age)}</text>`)}
            ${at !== undefined && html`<line class="at" x1=${lines.xOf(at)} x2=${lines.xOf(at)} y1="0" y2=${lines.bottom} />`}
            ${lines.paths.map((path, number) => html`
              <g class=${`series s${number}`}>
                <path class="curve" d=${path} stroke-dasharray=${DASHES[number]} />
                ${lines.marks[number]?.map((mark) => html`<path class="mark" d=${markOf(number, mark, MARK * em)} />`)}
              </g>`)}
          </svg>`}
      </div>`;
  }
}

/** The line and the mark of a series, for legends. @param {{number: number}} props */
export const Swatch = ({ number }) => html`
  <svg class=${`swatch series s${number}`} viewBox="0 0 36 12" width="36" height="12" aria-hidden="true">
    <path class="curve" d="M0,6h36" stroke-dasharray=${DASHES[number]} />
    <path class="mark" d=${markOf(number, { x: 18, y: 6 }, 4)} />
  </svg>`;
