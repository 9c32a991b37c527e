/** A view that is drawn in the size of its element. */

import { Component, createRef } from "preact";

/**
 * `em`: the font's size in pixels, like `width` and `height`, which are 0 until the element is measured.
 * @template Props
 * @template {object} [More={}]
 * @extends {Component<Props, {width: number, height: number, em: number} & More>}
 */
export class Measured extends Component {
  state = /** @type {{width: number, height: number, em: number} & More} */ ({ width: 0, height: 0, em: 12 });
  /** @type {import("preact").RefObject<HTMLElement | null>} */
  element = createRef();
  #resizing = new ResizeObserver(() => this.#measure());

  // The observer reports the first size as well, after the layout that the browser does anyway.
  componentDidMount() {
    if (this.element.current) this.#resizing.observe(this.element.current);
  }

  componentWillUnmount() {
    this.#resizing.disconnect();
  }

  #measure() {
    const element = this.element.current;
    // On paper, the style sheet scales what was drawn for the screen.
    if (!element || matchMedia("print").matches) return;
    const { clientWidth: width, clientHeight: height } = element;
    const em = parseFloat(getComputedStyle(element).fontSize);
    if (width === this.state.width && height === this.state.height && em === this.state.em) return;
    this.setState(/** @type {any} */ ({ width, height, em }));
  }

  /** @returns {import("../html.js").Markup} */
  render() {
    throw new Error("A measured view draws itself.");
  }

  /** @param {PointerEvent} event @returns {number} its place from the left edge of the element, in pixels */
  leftOf(event) {
    return event.clientX - (this.element.current?.getBoundingClientRect().left ?? 0);
  }
}
