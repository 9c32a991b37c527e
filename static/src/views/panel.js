/** One chart with its legend. The code that draws comes by itself, beside that of the campaign. */

import { Component, createRef } from "preact";
import { html } from "../html.js";

const drawing = import("./chart.js");

/**
 * @typedef {{title: string, series: import("./timeline.js").Series[],
 *            grain: import("../protocol.js").Grain, format: import("../format.js").Format,
 *            data: unknown, columns: number[][], row: number | null, hidden: readonly string[],
 *            zoom: import("./chart.js").Range | null,
 *            onPoint: (row: number | null) => void,
 *            onZoom: (zoom: import("./chart.js").Range | null) => void,
 *            onToggle: (counter: string) => void}} Props `columns`, which `data` has
 *   given: first the times, then one a series; `row` is where the pointer is, in this chart or its neighbour; `hidden` counters
 * @extends {Component<Props, {failed: boolean}>}
 */
export class Panel extends Component {
  state = { failed: false };
  /** @type {import("preact").RefObject<HTMLElement | null>} */
  #element = createRef();
  /** @type {import("./chart.js").Chart | null} */
  #chart = null;

  componentDidMount() {
    drawing.then(
      // A task of its own: on a phone, two charts at once would hold up the first touch.
      ({ createChart }) => void setTimeout(() => {
        if (!this.#element.current) return;
        this.#chart = createChart(this.#element.current, this.props);
        this.#update();
      }),
      (error) => {
        console.error(error);
        this.setState({ failed: true });
      },
    );
  }

  /** @param {Props} before */
  componentDidUpdate(before) {
    const { data, hidden, zoom } = this.props;
    if (before.data !== data || before.hidden !== hidden || before.zoom !== zoom) this.#update();
  }

  #update() {
    const { columns, series, hidden, zoom } = this.props;
    this.#chart?.update(columns, series.map(({ counter }) => !hidden.includes(counter)), zoom);
  }

  componentWillUnmount() {
    this.#chart?.destroy();
  }

  render() {
    const { title, series, format, columns, row, hidden, onToggle } = this.props;
    return html`
      <div class="chart">
        <div class="legend">
          <h3>${title}</h3>
          ${series.map(({ label, counter }, index) => html`
            <button type="button" aria-pressed=${!hidden.includes(counter)} onClick=${() => onToggle(counter)}>
              <i class=${`line ${counter}`}></i>${label}
              ${row !== null && html`<b>${format.count(columns[index + 1]?.[row] ?? 0)}</b>`}
            </button>`)}
        </div>
        <div class="plot" ref=${this.#element} aria-hidden="true">
          ${this.state.failed && "The chart could not be loaded. Reload the page; the table below has the same numbers."}
        </div>
      </div>`;
  }
}
