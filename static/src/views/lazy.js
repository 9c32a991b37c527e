/** Views whose code is loaded when they are first shown. */

import { Component } from "preact";
import { html } from "../html.js";
import { text } from "../glossary.js";
import { Notice } from "./notice.js";

/**
 * @param {() => Promise<any>} load imports the view
 * @returns {any} a view with the same properties
 */
export function lazy(load) {
  /** @type {any} */
  let View = null;
  return class extends Component {
    state = { failed: false };

    componentDidMount() {
      if (View) return;
      load().then((view) => {
        View = view;
        this.setState({});
      }, (error) => {
        console.error(error);
        this.setState({ failed: true });
      });
    }

    render() {
      if (View) return html`<${View} ...${this.props} />`;
      return this.state.failed ? html`<${Notice}>${text("page.not_loaded")}<//>` : html`<div class="placeholder"></div>`;
    }
  };
}
