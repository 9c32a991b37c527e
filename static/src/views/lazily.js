/** A view whose code comes when it is shown first. */

import { Component, createRef } from "preact";
import { html } from "../html.js";
import { say } from "../words.js";
import { Notice } from "./notice.js";

/**
 * @param {() => Promise<any>} load gives the view
 * @param {boolean} [belowTheFold] whether it is loaded only when somebody scrolls towards it
 * @returns {any} a view with the same properties
 */
export function lazily(load, belowTheFold = false) {
  /** @type {any} */
  let View = null;
  let failed = false;
  return class extends Component {
    /** @type {import("preact").RefObject<HTMLElement | null>} */
    #place = createRef();
    /** @type {IntersectionObserver | undefined} */
    #observer;

    componentDidMount() {
      const place = this.#place.current;
      if (View) return;
      if (!belowTheFold || !place) return this.#load();
      this.#observer = new IntersectionObserver(([entry]) => {
        if (entry?.isIntersecting) this.#load();
      }, { rootMargin: "300px" });
      this.#observer.observe(place);
    }

    componentWillUnmount() {
      this.#observer?.disconnect();
    }

    #load() {
      this.#observer?.disconnect();
      load().then((view) => { View = view; }, (error) => {
        console.error(error);
        failed = true;
      }).finally(() => this.setState({}));
    }

    render() {
      if (View) return html`<${View} ...${this.props} />`;
      if (failed) return html`<${Notice}>${say("page.not_loaded")}<//>`;
      return html`<div class="later" ref=${this.#place}></div>`;
    }
  };
}
