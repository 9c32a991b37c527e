/** Chooses the campaigns of a comparison, by search. */

import { Component } from "preact";
import { MOST } from "../chosen.js";
import { RETRYABLE } from "../feed.js";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { Notice } from "./notice.js";

/** In milliseconds. */
const SEARCH_AFTER = 200;
const AGAIN_AFTER = 3000;

const LISTED = 50;
const MOST_CHARACTERS = 200;

/** @typedef {import("../protocol.js").Summary} Summary */

/**
 * @typedef {{page: import("./app.js").Page, chosen: string[], onChange: (ids: string[]) => void}} Props
 * @typedef {{rows: Summary[] | null, searched: string, error: (Error & {code?: string}) | null}} State `rows`: the
 *   campaigns that were found; null until the first reply
 * @extends {Component<Props, State>}
 */
export class CampaignChooser extends Component {
  /** @type {State} */
  state = { rows: null, searched: "", error: null };
  #search = "";
  #asked = "";
  #askedAt = -Infinity;
  #busy = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;

  componentDidMount() {
    this.#load();
  }

  componentDidUpdate() {
    this.#load();
  }

  componentWillUnmount() {
    clearTimeout(this.#typing);
  }

  /** Request what is searched for, and again what failed with a transient error. */
  async #load() {
    const { page } = this.props;
    const { rows, error } = this.state;
    const isRetry = error !== null && RETRYABLE.includes(error.code ?? "") && page.now - this.#askedAt >= AGAIN_AFTER;
    const isNew = this.#search !== this.#asked || (rows === null && error === null);
    if (this.#busy || page.status.state !== "live" || !(isNew || isRetry)) return;
    this.#busy = true;
    this.#asked = this.#search;
    this.#askedAt = page.now;
    /** @type {Summary[]} */
    const found = [];
    const request = {
      action: "listCampaigns", sort: "last_event_at", order: "desc", limit: LISTED, stream: false,
      ...(this.#search && { query: this.#search }),
    };
    try {
      await page.ask(request, (/** @type {Summary} */ one) => { found.push(one); });
      this.setState({ rows: found, searched: this.#asked, error: null });
    } catch (problem) {
      this.setState({ error: /** @type {Error} */ (problem) });
    }
    this.#busy = false;
  }

  /** @param {string} typed */
  #type(typed) {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => {
      this.#search = typed.trim();
      this.#load();
    }, SEARCH_AFTER);
  }

  render() {
    const { page: { format }, chosen, onChange } = this.props;
    const { rows, searched, error } = this.state;
    const found = new Map((rows ?? []).map((one) => [one.campaign.id, one]));
    const ids = [...chosen.filter((id) => !found.has(id)), ...found.keys()];
    const count = format.count(chosen.length);
    return html`
      <section class="panel chooser" aria-labelledby="chooser">
        <div class="panel-head">
          <h2 id="chooser">${text("compare.choose")}</h2>
          <p class="span" role="status">${text("compare.chosen", { count, most: MOST })}</p>
          <input type="search" class="search" aria-label=${text("list.search")} placeholder=${text("list.search_hint")} maxlength=${MOST_CHARACTERS}
            onInput=${(/** @type {any} */ event) => this.#type(event.target.value)} />
        </div>
        ${error && html`<${Notice}>${text("list.failed", { reason: error.message })} ${RETRYABLE.includes(error.code ?? "") && text("page.retrying")}<//>`}
        <ul class="choices">
          ${ids.map((id) => html`
            <${Choice} key=${id} id=${id} campaign=${found.get(id)?.campaign} format=${format} checked=${chosen.includes(id)} full=${chosen.length >= MOST}
              onToggle=${() => onChange(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id])} />`)}
          ${rows?.length === 0 && html`<li class="none">${text(searched ? "compare.none_found" : "page.no_events", { search: searched })}</li>`}
          ${rows === null && !error && html`<li class="none">${text("page.loading")}</li>`}
        </ul>
      </section>`;
  }
}

/**
 * @param {{id: string, campaign: import("../protocol.js").Campaign | undefined, format: import("../format.js").Format,
 *          checked: boolean, full: boolean, onToggle: () => void}} props `full`: whether no more can be chosen
 */
function Choice({ id, campaign, format, checked, full, onToggle }) {
  return html`
    <li>
      <label>
        <input type="checkbox" checked=${checked} disabled=${full && !checked} onChange=${onToggle} />
        <span>
          <b dir="auto">${id}</b>
          ${campaign?.subject && html`<span class="subject" dir="auto">${campaign.subject}</span>`}
        </span>
        <span class="span">${campaign && format.date(campaign.first_event_at)}</span>
      </label>
    </li>`;
}
