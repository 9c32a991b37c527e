/** The button that downloads all recipients in a state as CSV, with its progress. */

import { Component } from "preact";
import { csv, save } from "../csv.js";
import { html } from "../html.js";
import { campaignTopic } from "../protocol.js";
import { text } from "../glossary.js";
import { Notice } from "./notice.js";

/** @typedef {import("../protocol.js").Recipient} Recipient */

const COLUMNS = ["recipient", "provider", "sent_at", "last_at", "state", "message_id"];

/**
 * A component of its own, so that progress does not render the list again.
 *
 * `progress`: of the running export; null if none is running. `failure`: why the last one failed.
 * @typedef {{id: string, page: import("./app.js").Page, state: string}} Props
 * @typedef {{progress: {count: number, total: number | null} | null, failure: string | null}} State
 * @extends {Component<Props, State>}
 */
export class RecipientsExport extends Component {
  /** @type {State} */
  state = { progress: null, failure: null };
  /** The number of the running export; the results of a cancelled one are ignored. */
  #run = 0;

  componentWillUnmount() {
    this.#run += 1;
  }

  #cancel = () => {
    this.#run += 1;
    this.setState({ progress: null });
  };

  #export = async () => {
    const { id, page, state } = this.props;
    const run = ++this.#run;
    const request = { action: "listRecipients", id: campaignTopic(id), state };
    /** @type {BlobPart[]} */
    const parts = [csv([COLUMNS])];
    let count = 0;
    /** @type {unknown[][]} */
    let rows = [];
    this.setState({ progress: { count, total: null }, failure: null });
    try {
      /** @type {string | null} */
      let cursor = null;
      do {
        cursor = await page.ask(cursor === null ? request : { ...request, cursor }, (/** @type {Recipient} */ one) => {
          rows.push([
            one.recipient, one.provider, new Date(one.sent_at).toISOString(), new Date(one.last_at).toISOString(),
            one.state, one.message_id,
          ]);
        }, ({ total }) => {
          const received = rows;
          rows = [];
          if (run !== this.#run) return;
          count += received.length;
          // Encoding a large file at once would freeze the page.
          parts.push(new Blob([csv(received)]));
          this.setState({ progress: { count, total } });
        });
      } while (cursor !== null && run === this.#run);
      if (run !== this.#run) return;
      save(`${id} recipients ${state}`, parts);
      this.setState({ progress: null });
    } catch (error) {
      if (run !== this.#run) return;
      this.setState({ progress: null, failure: /** @type {Error} */ (error).message });
    }
  };

  render() {
    const { progress, failure } = this.state;
    const { count } = this.props.page.format;
    return html`
      <p class="span" role="status">
        ${progress && text("recipients.exporting", { count: count(progress.count), total: count(progress.total) })}
      </p>
      <button type="button" onClick=${progress ? this.#cancel : this.#export}>
        ${text(progress ? "recipients.cancel" : "page.download")}
      </button>
      ${failure && html`<${Notice}>${text("activity.failed", { reason: failure })}<//>`}`;
  }
}
