/** Announces the key numbers to screen readers, at most once a minute and only if they changed. */

import { Component } from "preact";
import { text } from "../glossary.js";
import { html } from "../html.js";

const EVERY = 60_000;

/**
 * @typedef {{summary: import("../protocol.js").Summary | null, format: import("../format.js").Format}} Props
 * @extends {Component<Props, {announcement: string | undefined}>}
 */
export class Announcer extends Component {
  state = { announcement: "" };
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  componentDidMount() {
    this.#timer = setInterval(() => this.#announce(), EVERY);
  }

  componentWillUnmount() {
    clearInterval(this.#timer);
  }

  #announce() {
    const { summary, format } = this.props;
    if (!summary) return;
    const { counts } = summary;
    const values = { sent: counts.sends, delivered: counts.deliveries, opened: counts.readers, clicked: counts.unique_human_clicks };
    this.setState({
      announcement: text("campaign.announcement", Object.fromEntries(
        Object.entries(values).map(([name, value]) => [name, format.count(value)]),
      )),
    });
  }

  render() {
    return html`<p class="visually-hidden" role="status">${this.state.announcement}</p>`;
  }
}
