/** The recipients of a campaign by state, also as CSV, and the history of one of them. */

import { Component } from "preact";
import { Feed } from "../feed.js";
import { html } from "../html.js";
import { recipientsHash } from "../leader.js";
import { campaignTopic, keyOf } from "../protocol.js";
import { campaignHash } from "../route.js";
import { text } from "../glossary.js";
import { EventRow } from "./event.js";
import { Heading } from "./heading.js";
import { Notice } from "./notice.js";
import { RecipientsExport } from "./recipients-export.js";

const STATES = ["all", "not_opened", "opened", "clicked", "bounced"];
const PAGE = 50;

/** In milliseconds. */
const AGAIN_AFTER = 3000;

/**
 * @typedef {Extract<import("../route.js").Route, {view: "recipients"}>} Route
 * @typedef {import("../protocol.js").Recipient} Recipient
 * @typedef {import("../format.js").Format} Format
 * @typedef {{id: string, page: import("./app.js").Page}} Place
 */

/** @param {Place & {route: Route}} props */
export function RecipientsView({ id, page, route: { state, recipient } }) {
  if (recipient !== null) {
    return html`
      <a class="back" href=${recipientsHash(id, { state })}>← ${text("recipients.title")}</a>
      <${Heading} key="history"><bdi>${recipient}</bdi><//>
      <p class="facts"><span>${text("recipients.history")}</span></p>
      <${Loader} key=${recipient} ...${{ id, page }} request=${{ action: "recipientHistory", recipient }} View=${HistoryList} />`;
  }
  return html`
    <a class="back" href=${campaignHash(id)}>← <bdi>${id}</bdi></a>
    <${Heading} key="list">${text("recipients.title")}<//>
    <p class="facts"><span>${text("recipients.about")}</span></p>
    <nav class="choice" aria-label=${text("recipients.show")}>
      ${STATES.map((one) => html`
        <a class="button" href=${recipientsHash(id, { state: one })} aria-current=${one === state ? "page" : undefined}>
          ${text(`recipients.${one}`)}
        </a>`)}
    </nav>
    <${Loader} key=${state} ...${{ id, page, state }} request=${{ action: "listRecipients", state, limit: PAGE }} View=${RecipientList} />`;
}

/**
 * Loads a list page by page once the page is connected. `View` shows it.
 * @extends {Component<Place & {request: import("../connection.js").Request, View: any, state?: string}>}
 */
class Loader extends Component {
  /** @type {import("../protocol.js").ResultPage | null} the last page */
  #last = null;
  #askedAt = -Infinity;
  #feed = new Feed(
    (request, onResult) => this.props.page.ask({ ...request, stream: false }, onResult, (page) => { this.#last = page; }),
    { ...this.props.request, id: campaignTopic(this.props.id) }, false, () => this.setState({}),
  );

  componentDidMount() {
    this.#load();
  }

  componentDidUpdate() {
    this.#load();
  }

  /** Request the first page, and again what failed with a transient error. */
  #load() {
    const { now, status } = this.props.page;
    if (this.#feed.busy || status.state !== "live" || now - this.#askedAt < AGAIN_AFTER) return;
    if (this.#askedAt !== -Infinity && !this.#feed.retryable) return;
    this.#askedAt = now;
    this.#feed.next();
  }

  render() {
    const { id, page, state, View } = this.props;
    return html`<${View} ...${{ id, page, state, feed: this.#feed, last: this.#last }} />`;
  }
}

/**
 * What is shown instead of rows.
 * @param {{feed: Feed<any>, last: import("../protocol.js").ResultPage | null, none: string}} props
 */
function Placeholder({ feed: { error, size }, last, none }) {
  if (error) return html`<${Notice}>${error.message}<//>`;
  return size === 0 && html`<p class="none">${text(last ? none : "page.loading")}</p>`;
}

/** @param {Place & {state: string, feed: Feed<Recipient>, last: import("../protocol.js").ResultPage | null}} props */
function RecipientList({ id, page, state, feed, last }) {
  const { format } = page;
  const { rows, busy, more } = feed;
  const total = last?.total ?? null;
  return html`
    ${last && !last.complete && html`
      <p class="notice">${text("recipients.incomplete")} <code>${text("campaign.recount_command", { id })}</code></p>`}
    <section class="panel" aria-busy=${busy}>
      <div class="panel-head">
        <p class="span" role="status">
          ${total !== null && text("activity.showing_of", { count: format.count(rows.length), total: format.count(total) })}
        </p>
        <p class="span">${text("page.zone", { zone: format.zone })}</p>
        <${RecipientsExport} ...${{ id, page, state }} />
      </div>
      ${rows.length > 0 && html`
        <table class="events recipients">
          <thead><tr>${["recipient", "provider", "sent", "last_event", "state"].map(
            (name) => html`<th scope="col">${text(`recipients.${name}`)}</th>`,
          )}</tr></thead>
          <tbody>${rows.map((one) => html`
            <${RecipientRow} key=${`${one.recipient}\n${one.message_id}`} ...${{ id, one, state, format }} />`)}
          </tbody>
        </table>`}
      <${Placeholder} ...${{ feed, last }} none="recipients.none" />
      ${rows.length > 0 && more && html`
        <button type="button" onClick=${() => feed.next()}>${text(busy ? "page.loading" : "page.show_more")}</button>`}
    </section>`;
}

/** @param {{id: string, one: Recipient, state: string, format: Format}} props */
function RecipientRow({ id, one, state, format }) {
  const time = (/** @type {number} */ at, /** @type {string} */ name) => html`
    <td class="when" data-label=${text(`recipients.${name}`)}>
      <time datetime=${new Date(at).toISOString()}>${format.moment(at)}</time>
    </td>`;
  return html`
    <tr>
      <th scope="row" class="whom" title=${one.recipient}>
        <a href=${recipientsHash(id, { state, recipient: one.recipient })}><bdi>${one.recipient}</bdi></a>
      </th>
      <td>${one.provider ?? "–"}</td>
      ${time(one.sent_at, "sent")}
      ${time(one.last_at, "last_event")}
      <td>${text(`recipients.${one.state}`) ?? one.state}</td>
    </tr>`;
}

/** @param {Place & {feed: Feed, last: import("../protocol.js").ResultPage | null}} props */
function HistoryList({ page: { format }, feed, last }) {
  const { rows, busy } = feed;
  return html`
    <section class="panel" aria-busy=${busy}>
      <div class="panel-head"><p class="span">${text("page.zone", { zone: format.zone })}</p></div>
      ${rows.length > 0 && html`
        <table class="events">
          <thead><tr>${["time", "event", "recipient", "details"].map((name) => html`<th scope="col">${text(`activity.${name}`)}</th>`)}</tr></thead>
          <tbody>${rows.map((one) => html`<${EventRow} key=${keyOf(one)} one=${one} format=${format} />`)}</tbody>
        </table>`}
      <${Placeholder} ...${{ feed, last }} none="recipients.none_of_recipient" />
    </section>`;
}
