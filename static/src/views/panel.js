/** One chart with its legend. The drawing code is loaded in parallel with the campaign's. */

import { Component, createRef } from "preact";
import { text } from "../glossary.js";
import { html } from "../html.js";

const chartModule = import("./chart.js");

/**
 * @typedef {{title: string, series: import("./timeline.js").Series[],
 *            grain: import("../protocol.js").Grain, format: import("../format.js").Format,
 *            data: unknown, columns: number[][], row: number | null, hidden: readonly string[],
 *            zoom: import("./chart.js").Range | null,
 *            onPoint: (row: number | null) => void,
 *            onZoom: (zoom: import("./chart.js").Range | null) => void,
 *            onToggle: (counter: string) => void}} Props `columns`,
 *   computed from `data`: first the times, then one per series; `row` is at the pointer, in this chart or the other;
 *   `hidden` are the counters that are switched off
 * @extends {Component<Props, {failed: boolean}>}
 */
export class Panel extends Component {
  state = { failed: false };
  /** @type {import("preact").RefObject<HTMLElement | null>} */
  #element = createRef();
  /** @type {import("./chart.js").Chart | null} */
  #chart = null;

  componentDidMount() {
    chartModule.then(
      // A separate task: on a phone, drawing two charts at once would delay the first touch.
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
          ${series.map(({ counter }, index) => html`
            <button type="button" aria-pressed=${!hidden.includes(counter)} onClick=${() => onToggle(counter)}>
              <i class=${`line ${counter}`}></i>${text(`label.${counter}`)}
              ${row !== null && html`<b>${format.count(columns[index + 1]?.[row] ?? 0)}</b>`}
            </button>`)}
        </div>
        <div class="plot" ref=${this.#element} aria-hidden="true">
          ${this.state.failed && text("timeline.failed")}
        </div>
      </div>`;
  }
}
