/** Draws its children once the reader scrolls close to it. */

import { Component, createRef } from "preact";
import { html } from "../html.js";

/**
 * @typedef {{children?: import("../html.js").Markup}} Props
 * @extends {Component<Props, {near: boolean}>}
 */
export class LazyOnScroll extends Component {
  state = { near: false };
  /** @type {import("preact").RefObject<HTMLElement | null>} */
  #place = createRef();
  #observer = new IntersectionObserver((entries) => {
    // A busy page reports several changes at once, of which the first may precede the scroll.
    if (entries.some((entry) => entry.isIntersecting)) this.setState({ near: true });
  }, { rootMargin: "300px" });

  componentDidMount() {
    if (this.#place.current) this.#observer.observe(this.#place.current);
  }

  componentWillUnmount() {
    this.#observer.disconnect();
  }

  render() {
    return html`<div ref=${this.#place} class=${this.state.near ? "" : "placeholder"}>${this.state.near && this.props.children}</div>`;
  }
}
