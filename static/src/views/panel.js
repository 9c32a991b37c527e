/** One chart with its legend; `chart.js` comes by itself, when the first one is shown. */

import { Component, createRef } from "preact";
import { html } from "../html.js";

/**
 * @typedef {{title: string, series: import("./timeline.js").Series[],
 *            grain: import("../protocol.js").Grain, format: import("../format.js").Format,
 *            columns: number[][], row: number | null,
 *            onPoint: (row: number | null) => void}} Props `columns`: first the times, then one a
 *   series; `row` is where the pointer is, in this chart or its neighbour
 * @extends {Component<Props, {failed: boolean}>}
 */
export class Panel extends Component {
  state = { failed: false };
  /** @type {import("preact").RefObject<HTMLElement | null>} */
  #element = createRef();
  /** @type {import("./chart.js").Chart | null} */
  #chart = null;

  componentDidMount() {
    import("./chart.js").then(
      ({ createChart }) => {
        if (!this.#element.current) return;
        this.#chart = createChart(this.#element.current, this.props);
        this.#chart.update(this.props.columns);
      },
      (error) => {
        console.error(error);
        this.setState({ failed: true });
      },
    );
  }

  /** @param {Props} before */
  componentDidUpdate(before) {
    if (before.row === this.props.row) this.#chart?.update(this.props.columns);
  }

  componentWillUnmount() {
    this.#chart?.destroy();
  }

  render() {
    const { title, series, format, columns, row } = this.props;
    return html`
      <div class="chart">
        <div class="legend">
          <h3>${title}</h3>
          ${series.map(({ label, counter }, index) => html`
            <span><i class=${`line ${counter}`}></i>${label}
              ${row !== null && html`<b>${format.count(columns[index + 1]?.[row] ?? 0)}</b>`}
            </span>`)}
        </div>
        <div class="plot" ref=${this.#element} aria-hidden="true">
          ${this.state.failed && "The chart could not be loaded. Reload the page; the table below has the same numbers."}
        </div>
      </div>`;
  }
}
