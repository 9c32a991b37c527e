/** A view whose code comes when it is shown first. */

import { Component } from "preact";
import { html } from "../html.js";
import { say } from "../words.js";
import { Notice } from "./notice.js";

/**
 * @param {() => Promise<any>} load gives the view
 * @returns {any} a view with the same properties
 */
export function lazily(load) {
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
      return this.state.failed ? html`<${Notice}>${say("page.not_loaded")}<//>` : html`<div class="later"></div>`;
    }
  };
}
