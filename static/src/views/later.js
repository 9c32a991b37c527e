/** A place that says when somebody scrolls towards it. */

import { Component, createRef } from "preact";
import { html } from "../html.js";

/**
 * @typedef {{children?: import("../html.js").Markup}} Props `children` are drawn from then on
 * @extends {Component<Props, {near: boolean}>}
 */
export class Later extends Component {
  state = { near: false };
  /** @type {import("preact").RefObject<HTMLElement | null>} */
  #place = createRef();
  #observer = new IntersectionObserver(([entry]) => {
    if (entry?.isIntersecting) this.setState({ near: true });
  }, { rootMargin: "300px" });

  componentDidMount() {
    if (this.#place.current) this.#observer.observe(this.#place.current);
  }

  componentWillUnmount() {
    this.#observer.disconnect();
  }

  render() {
    return html`<div ref=${this.#place} class=${this.state.near ? "" : "later"}>${this.state.near && this.props.children}</div>`;
  }
}
