/** One counter, also machine-readable, that glows when it changes. */

import { Component, createRef } from "preact";
import { html } from "../html.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * @typedef {{name: import("../protocol.js").Counter, value: number | undefined,
 *            format: import("../format.js").Format}} Props `value`: undefined while it is loading
 * @extends {Component<Props>}
 */
export class Count extends Component {
  /** @type {import("preact").RefObject<HTMLElement | null>} */
  #element = createRef();

  /** @param {Props} next */
  shouldComponentUpdate(next) {
    return next.value !== this.props.value;
  }

  /** @param {Props} before */
  componentDidUpdate(before) {
    if (before.value === undefined || calm.matches) return;
    this.#element.current?.animate([{ backgroundColor: "var(--glow)" }, {}], 900);
  }

  render() {
    const { name, value, format } = this.props;
    return html`
      <data ref=${this.#element} class="count" value=${value} data-metric=${name} data-value=${value}>
        ${value === undefined ? "–" : format.count(value)}
      </data>`;
  }
}
