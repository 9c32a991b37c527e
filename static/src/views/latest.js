/** The latest events of a campaign, live. */

import { Component } from "preact";
import { Feed, keyOf } from "../feed.js";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { campaignTopic } from "../protocol.js";
import { activityHash } from "../leader.js";
import { EventRow } from "./event.js";

const SHOWN = 8;

/** The shortest time between two requests, in milliseconds. */
const AGAIN_AFTER = 3000;

/**
 * `version`: of the summary; the events are requested again when it changes.
 * @typedef {{id: string, page: import("./app.js").Page, version: number}} Props
 * @extends {Component<Props>}
 */
export class LatestView extends Component {
  #feed = new Feed(
    (request, onResult) => this.props.page.ask(request, onResult),
    { action: "listActivity", id: campaignTopic(this.props.id), limit: SHOWN },
    false,
    () => this.setState({}),
  );
  #version = -1;
  #askedAt = -Infinity;

  componentDidMount() {
    this.#follow();
  }

  componentDidUpdate() {
    this.#follow();
  }

  #follow() {
    const { page: { now, status }, version } = this.props;
    if (status.state !== "live" || this.#feed.busy || now - this.#askedAt < AGAIN_AFTER) return;
    if (version === this.#version && !this.#feed.retryable) return;
    this.#version = version;
    this.#askedAt = now;
    this.#feed.refresh();
  }

  render() {
    const { id, page: { format } } = this.props;
    const { rows, busy, error } = this.#feed;
    return html`
      <section class="panel" aria-labelledby="latest">
        <div class="panel-head">
          <h2 id="latest">${text("activity.live")}</h2>
          <p class="span">${text("page.zone", { zone: format.zone })}</p>
          <a class="button" href=${activityHash(id, "all")}>${text("label.all")}</a>
        </div>
        ${rows.length > 0 && html`
          <table class="events">
            <tbody>${rows.map((one) => html`<${EventRow} key=${keyOf(one)} one=${one} format=${format} />`)}</tbody>
          </table>`}
        ${rows.length === 0 && html`
          <p class="none">${error?.message ?? text(busy ? "page.loading" : "activity.none_live")}</p>`}
      </section>`;
  }
}
