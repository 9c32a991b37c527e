/** The notes on the timeline of a campaign, and a form for those who may write them. */

import { Component, createRef } from "preact";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { MOST_CHARACTERS, besideOf, fieldOf, momentOf, notesOf } from "../notes.js";
import { campaignTopic } from "../protocol.js";

/** @param {HTMLElement | null} element */
const focus = (element) => element?.focus();

/**
 * @typedef {{id: string, data: import("../state.js").CampaignData, page: import("./app.js").Page,
 *            shown: import("../chart.js").Range | null}} Props `shown`: on the axis of the charts; null without them
 * @typedef {{busy: boolean, removing: string | null, said: string | undefined, error: string | null}} State `removing`: the
 *   note whose removal is to be confirmed; `said`: what was done
 * @extends {Component<Props, State>}
 */
export class NotesView extends Component {
  /** @type {State} */
  state = { busy: false, removing: null, said: "", error: null };
  /** @type {import("preact").RefObject<HTMLElement | null>} */
  #summary = createRef();

  /** @param {number} at in milliseconds @returns {string | undefined} why the charts have no mark at this time, if so */
  #hint(at) {
    const { shown } = this.props;
    const beside = shown && besideOf(at, shown);
    return beside ? text(`notes.${beside}`) : undefined;
  }

  /** @param {Record<string, string>} request @param {string | undefined} said */
  async #change(request, said) {
    const { id, page } = this.props;
    this.setState({ busy: true, said: "", error: null });
    try {
      await page.ask({ id: campaignTopic(id), stream: false, ...request, action: String(request["action"]) }, () => {});
      this.setState({ busy: false, removing: null, said });
      return true;
    } catch (error) {
      this.setState({ busy: false, error: /** @type {Error} */ (error).message });
      return false;
    }
  }

  /** @param {Event} event */
  #add = async (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const values = new FormData(form);
    const at = momentOf(String(values.get("at")), this.props.page.format.zone);
    if (await this.#change({ action: "addNote", at, text: String(values.get("text")) }, [text("notes.added"), this.#hint(Date.parse(at))].filter(Boolean).join(" "))) form.reset();
    // A button that is disabled loses the focus.
    focus(form.querySelector("input[name=text]"));
  };

  /** @param {string} note */
  async #remove(note) {
    // The button disappears with the note.
    if (await this.#change({ action: "removeNote", note }, text("notes.removed"))) this.#summary.current?.focus();
  }

  render() {
    const { data, page: { format, now } } = this.props;
    const { busy, removing, said, error } = this.state;
    const notes = notesOf(data);
    if (notes.length === 0 && !data.may_share) return null;
    return html`
      <details>
        <summary ref=${this.#summary}>
          ${notes.length === 0 ? text("notes.none") : html`
            ${text(notes.length === 1 ? "notes.one" : "notes.some", { count: format.count(notes.length) })}
            <span class="preview">: ${notes.map((one, index) => html`${index > 0 && " · "}<bdi>${one.text}</bdi>`)}</span>`}
        </summary>
        ${notes.length > 0 && html`
          <ul>
            ${notes.map(({ note, at, by, text: line }) => html`
              <li key=${note}>
                <span class="span">${format.dateTime(at)}</span>
                <span class="line-of"><bdi>${line}</bdi>${by && html`${" "}<span class="span">${text("notes.by")}${" "}<bdi>${by}</bdi></span>`}${this.#hint(at) && html`${" "}<span class="beside">${this.#hint(at)}</span>`}</span>
                ${data.may_share && (removing === note ? html`
                  <span class="confirm">
                    <button type="button" disabled=${busy} onClick=${() => this.#remove(note)}>${text("notes.remove_now")}</button>
                    <button type="button" ref=${focus} disabled=${busy} onClick=${() => { this.setState({ removing: null }); this.#summary.current?.focus(); }}>${text("notes.keep")}</button>
                  </span>`
                : html`
                  <button type="button" aria-label=${text("notes.remove_one", { text: line })} onClick=${() => this.setState({ removing: note, said: "", error: null })}>
                    ${text("notes.remove")}
                  </button>`)}
              </li>`)}
          </ul>`}
        ${data.may_share && html`
          <form onSubmit=${this.#add}>
            <label>${text("notes.time")}
              <input type="datetime-local" name="at" required max="9999-12-31T23:59" defaultValue=${fieldOf(now, format.zone)} key=${format.zone} />
            </label>
            <label class="wide">${text("notes.note")}
              <input type="text" name="text" required maxlength=${MOST_CHARACTERS} dir="auto" autocomplete="off" placeholder=${text("notes.hint")} />
            </label>
            <button type="submit" disabled=${busy}>${text("notes.add")}</button>
          </form>
          <p class="span">${text("notes.who", { zone: format.zone })}</p>`}
        <p role="status">${said}</p>
        ${error && html`<p role="alert">${text("notes.failed", { reason: error })}</p>`}
      </details>`;
  }
}
