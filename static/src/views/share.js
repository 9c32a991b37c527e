/** Share a campaign by link: a button, and a dialog in which links are created, copied and revoked. */

import { Component } from "preact";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { campaignTopic } from "../protocol.js";
import { list, optional, shape, string, time } from "../validate.js";

const DAYS = [7, 30, 90, 365];
const DEFAULT_DAYS = 30;
const MOST_CHARACTERS = 80;

const shareLink = shape({
  share: string, created_at: time, expires_at: time, created_by: optional(string), name: optional(string),
});
const creation = shape({ share: shareLink, token: string });
const listing = shape({ shares: list(shareLink) });

/**
 * @typedef {ReturnType<typeof shareLink>} ShareLink
 * @typedef {Pick<import("./app.js").CampaignProps, "id" | "page">} Props
 */

/** @param {string} token @returns {string} the address that share-link.js opens */
const shareUrl = (token) => `${location.origin}${location.pathname}#/share/${token}`;

/**
 * A text about a link, with its name, if it has one, in its own direction.
 * @param {string} key
 * @param {ShareLink} link
 * @param {Record<string, unknown>} [values]
 */
const about = (key, { name }, values = {}) => (name
  ? text(`${key}_named`, { ...values, name: `\u2068${name}\u2069` }) : text(key, values));

/** @extends {Component<Props & {data: import("../state.js").CampaignData | null}, {open: boolean}>} */
export class ShareView extends Component {
  state = { open: false };

  render() {
    const { id, page, data } = this.props;
    if (data && !data.may_share) return null;
    // Until it is known whether the viewer may share, the button takes its place without being visible.
    return html`
      <button type="button" style=${{ visibility: data ? "visible" : "hidden" }} aria-haspopup="dialog"
        onClick=${() => this.setState({ open: true })}>${text("share.share")}</button>
      ${this.state.open && html`<${ShareDialog} ...${{ id, page }} onClose=${() => this.setState({ open: false })} />`}`;
  }
}

/** A callback for refs: a function that stays the same is called once for each element. @param {HTMLElement | null} element */
const focus = (element) => element?.focus();

/**
 * `links`: null until they are loaded; `name`, `days`: of the link to create; `created`: the address of the link that was
 * created last; `confirming`: the ID of the link to revoke; `done`: the key of the text of the last success.
 * @typedef {{links: ShareLink[] | null, name: string, days: number, busy: boolean, created: string | null,
 *            confirming: string | null, done: string | null, error: string | null}} State
 * @extends {Component<Props & {onClose: () => void}, State>}
 */
class ShareDialog extends Component {
  /** @type {State} */
  state = { links: null, name: "", days: DEFAULT_DAYS, busy: false, created: null, confirming: null, done: null, error: null };
  /** @type {HTMLDialogElement | null} */
  #dialog = null;
  /** @type {HTMLElement | null} */
  #title = null;

  componentDidMount() {
    this.#dialog?.showModal();
    this.#load();
  }

  #load() {
    this.#ask({ action: "listShares", id: campaignTopic(this.props.id) }, (body) => {
      // The list is split if it does not fit into a frame.
      const { shares } = listing(body, "the reply");
      this.setState(({ links }) => ({ links: [...links ?? [], ...shares] }));
    });
  }

  /**
   * @param {{action: string, [field: string]: unknown}} request
   * @param {(body: unknown) => void} onReply
   */
  #ask(request, onReply) {
    this.setState({ busy: true, done: null, error: null });
    this.props.page.ask({ ...request, stream: false }, onReply).then(
      () => this.setState({ busy: false }),
      ({ message }) => this.setState({ busy: false, error: message }),
    );
  }

  /** @param {Event} event */
  #create = (event) => {
    event.preventDefault();
    const { id } = this.props;
    const { days, name } = this.state;
    this.#ask({ action: "createShare", id: campaignTopic(id), days, ...(name && { name }) }, (body) => {
      const { share, token } = creation(body, "the reply");
      const links = [...this.state.links ?? [], share].sort((a, b) => a.expires_at - b.expires_at);
      this.setState({ links, name: "", created: shareUrl(token), done: "created" });
    });
  };

  #copy = () => {
    navigator.clipboard.writeText(this.state.created ?? "").then(
      () => this.setState({ done: "copied" }),
      (error) => {
        console.info(error); // the browser does not allow it
        this.setState({ done: "not_copied" });
      },
    );
  };

  /** @param {ShareLink} revoked */
  #revoke({ share }) {
    this.#ask({ action: "revokeShare", share }, () => {
      this.setState({
        links: (this.state.links ?? []).filter((one) => one.share !== share), confirming: null, created: null, done: "revoked",
      });
      this.#title?.focus();
    });
  }

  render() {
    const { onClose } = this.props;
    const { links, name, days, busy, created, done, error } = this.state;
    return html`
      <dialog class="share-dialog" aria-labelledby="share-title" onClose=${onClose}
        ref=${(/** @type {HTMLDialogElement | null} */ one) => { this.#dialog = one; }}>
        <div class="panel-head">
          <h2 id="share-title" tabindex="-1" ref=${(/** @type {HTMLElement | null} */ one) => { this.#title = one; }}>${text("share.title")}</h2>
          <button type="button" onClick=${() => this.#dialog?.close()}>${text("share.close")}</button>
        </div>
        <p>${text("share.seen_by")}</p>
        <dl>
          <dt>${text("share.shown")}</dt><dd>${text("share.what_is_shown")}</dd>
          <dt>${text("share.hidden")}</dt><dd>${text("share.what_is_hidden")}</dd>
        </dl>
        <form onSubmit=${this.#create}>
          <label class="wide">${text("share.name")}
            <input type="text" value=${name} maxlength=${MOST_CHARACTERS} dir="auto" autocomplete="off" placeholder=${text("share.name_hint")}
              onInput=${(/** @type {any} */ { target }) => this.setState({ name: target.value })} /></label>
          <label>${text("share.valid_for")}
            <select value=${days} disabled=${busy} onChange=${(/** @type {any} */ { target }) => this.setState({ days: Number(target.value) })}>
              ${DAYS.map((one) => html`<option value=${one}>${text("share.days", { days: one })}</option>`)}
            </select></label>
          <button type="submit" class="primary" disabled=${busy}>${text("share.create")}</button>
        </form>
        ${created && html`
          <p class="created">
            <input type="text" readonly value=${created} aria-label=${text("share.address")} onFocus=${(/** @type {any} */ { target }) => target.select()} />
            <button type="button" key=${created} ref=${focus} onClick=${this.#copy}>${text("share.copy")}</button>
          </p>`}
        <p role="status">${done && text(`share.${done}`)}</p>
        ${error && html`<p role="alert">${text("share.failed", { reason: error })}</p>`}
        <h3>${text("share.active")}</h3>
        ${links?.length === 0 && html`<p class="none">${text("share.none")}</p>`}
        <ul>${links?.map((link) => this.#link(link))}</ul>
      </dialog>`;
  }

  /** @param {ShareLink} link */
  #link(link) {
    const { format } = this.props.page;
    const { confirming, busy } = this.state;
    const until = format.dateTime(link.expires_at);
    return html`
      <li key=${link.share}>
        <span>
          ${link.name && html`<b><bdi>${link.name}</bdi></b>`}
          ${text("share.until", { time: until })}
          <small>${text("share.made", { time: format.dateTime(link.created_at) })}${link.created_by && html` ${text("share.by")} <bdi>${link.created_by}</bdi>`}</small>
        </span>
        ${confirming === link.share ? html`
          <span class="confirm" role="group" aria-label=${about("share.confirm", link)}>
            <span>${about("share.confirm", link)}</span>
            <button type="button" class="danger" disabled=${busy} onClick=${() => this.#revoke(link)}>${text("share.revoke_link")}</button>
            <button type="button" ref=${focus} disabled=${busy} onClick=${() => { this.setState({ confirming: null }); this.#title?.focus(); }}>${text("share.keep")}</button>
          </span>`
        : html`
          <button type="button" disabled=${busy} aria-label=${about("share.revoke_which", link, { time: until })}
            onClick=${() => this.setState({ confirming: link.share, done: null })}>${text("share.revoke")}</button>`}
      </li>`;
  }
}
