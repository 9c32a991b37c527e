/** A bar chart with a time axis, as SVG: it prints, and follows the colors of the system. */

import { createAxisFormat } from "../axis.js";
import { layoutOf } from "../chart.js";
import { html } from "../html.js";
import { STEP } from "../state.js";
import { Measured } from "./measured.js";

let last = 0;

/** New data is drawn at most this often, in milliseconds, however fast it arrives. */
const REDRAW_EVERY = 250;

/** A drag shorter than this is a click, in pixels. */
const LEAST_DRAG = 4;

/**
 * @typedef {import("../chart.js").Range} Range
 * @typedef {{counters: readonly string[], columns: number[][], data: unknown, hidden?: readonly string[],
 *            grain: import("../protocol.js").Grain, format: import("../format.js").Format,
 *            row?: number | null, zoom?: Range | null, onPoint?: (row: number | null) => void,
 *            onZoom?: (zoom: Range | null) => void}} Props `columns`, computed from `data`: first
 *   the times, then one per counter; `row` is at the pointer; `onZoom` gets the range that was
 *   dragged over, null for all
 * @extends {Measured<Props, {drag?: [number, number] | null}>}
 */
export class BarChart extends Measured {
  /** @type {import("../chart.js").Layout | null} */
  #layout = null;
  #drawnAt = 0;
  /** @type {[number, number] | null} */
  #drag = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #redraw;
  #area = `plot-${++last}`;
  #axis = createAxisFormat(this.props.format.locale, this.props.format.zone);

  componentWillUnmount() {
    clearTimeout(this.#redraw);
    super.componentWillUnmount();
  }

  /** @param {Props} next @param {any} state */
  shouldComponentUpdate(next, state) {
    const { data, hidden, zoom, row, format, grain } = this.props;
    if (next.format !== format) this.#axis = createAxisFormat(next.format.locale, next.format.zone);
    if (next.hidden !== hidden || next.zoom !== zoom || next.row !== row
      || next.format !== format || next.grain !== grain || state !== this.state) return true;
    if (next.data === data) return false;
    const wait = this.#drawnAt + REDRAW_EVERY - Date.now();
    if (wait <= 0) return true;
    this.#redraw ??= setTimeout(() => this.forceUpdate(), wait);
    return false;
  }

  /** A drag may begin and end before the state is set, with the next frame. @param {[number, number] | null} drag */
  #setDrag(drag) {
    this.#drag = drag;
    this.setState({ drag });
  }

  /** @param {PointerEvent} event */
  #begin = (event) => {
    if (!this.props.onZoom || event.pointerType !== "mouse" || event.button !== 0) return;
    this.element.current?.setPointerCapture(event.pointerId);
    this.#setDrag([this.leftOf(event), this.leftOf(event)]);
  };

  /** @param {PointerEvent} event */
  #move = (event) => {
    if (this.#drag) this.#setDrag([this.#drag[0], this.leftOf(event)]);
    this.props.onPoint?.(this.#layout?.rowAt(this.leftOf(event)) ?? null);
  };

  #end = () => {
    const drag = this.#drag;
    if (!drag) return;
    this.#setDrag(null);
    const [from, to] = drag[0] < drag[1] ? drag : [drag[1], drag[0]];
    const layout = this.#layout;
    const times = this.props.columns[0] ?? [];
    const step = STEP[this.props.grain] / 1000;
    if (!layout || to - from < LEAST_DRAG) return;
    const begin = times[layout.rowAt(from) ?? 0];
    const end = times[layout.rowAt(to) ?? times.length - 1];
    if (begin !== undefined && end !== undefined) this.props.onZoom?.([begin, end + step]);
  };

  render() {
    const { counters, columns: [times = [], ...columns], grain, hidden = [], row = null, zoom = null, onPoint, onZoom } = this.props;
    const { width, height, em, drag } = this.state;
    clearTimeout(this.#redraw);
    this.#redraw = undefined;
    this.#drawnAt = Date.now();
    const step = STEP[grain] / 1000;
    const shown = counters.map((counter) => !hidden.includes(counter));
    const layout = width > 0 ? layoutOf({ times, columns, shown, step, zoom, width, height, em, axis: this.#axis }) : null;
    this.#layout = layout;
    const at = row === null ? undefined : times[row];
    return html`
      <div class="plot" ref=${this.element} aria-hidden="true" onPointerMove=${this.#move} onPointerDown=${this.#begin}
        onPointerUp=${this.#end} onPointerLeave=${() => onPoint?.(null)} onDblClick=${() => onZoom?.(null)}>
        ${layout && html`
          <svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`}>
            <clipPath id=${this.#area}><rect x=${layout.left} width=${Math.max(0, width - layout.left)} height=${height} /></clipPath>
            ${layout.lines.map(({ y, label }) => html`
              <line class="grid" x1=${layout.left} x2=${width} y1=${y} y2=${y} />
              <text x=${layout.left - em / 2} y=${y} dy=".32em" text-anchor="end">${label}</text>`)}
            ${at !== undefined && html`
              <rect class="pointed" x=${layout.xOf(at)} width=${Math.max(1, layout.xOf(at + step) - layout.xOf(at))} height=${layout.bottom} />`}
            <g clip-path=${`url(#${this.#area})`}>
              ${layout.bars.map((path, index) => path && html`<path class=${counters[index]} d=${path} />`)}
            </g>
            ${layout.ticks.map(({ x, label, at: tick }) => html`
              <line class="grid" x1=${tick} x2=${tick} y1=${layout.bottom} y2=${layout.bottom + em / 3} />
              <text x=${x} y=${height - em / 3} text-anchor="middle">${label}</text>`)}
            ${drag && html`<rect class="dragged" x=${Math.min(...drag)} width=${Math.abs(drag[1] - drag[0])} height=${layout.bottom} />`}
          </svg>`}
      </div>`;
  }
}
