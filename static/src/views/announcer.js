/** The key numbers for who listens to the page: at most once a minute, and only when they changed. */

import { Component } from "preact";
import { html } from "../html.js";

const EVERY = 60_000;

/**
 * @typedef {{summary: import("../protocol.js").Summary | null, format: import("../format.js").Format}} Props
 * @extends {Component<Props, {words: string}>}
 */
export class Announcer extends Component {
  state = { words: "" };
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
    const { sends, deliveries, unique_human_opens: opened, unique_human_clicks: clicked } = summary.counts;
    const [sent, delivered, open, click] = [sends, deliveries, opened, clicked].map(format.count);
    this.setState({ words: `${sent} sent, ${delivered} delivered, ${open} opened and ${click} clicked by people.` });
  }

  render() {
    return html`<p class="visually-hidden" role="status">${this.state.words}</p>`;
  }
}
