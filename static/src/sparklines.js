/** The timelines of the campaigns of a list, loaded some at a time. Needs nothing from the browser. */

import { campaignTopic } from "./protocol.js";

/**
 * @typedef {import("./protocol.js").Summary} Summary
 * @typedef {import("./protocol.js").CampaignTimeline} CampaignTimeline
 */

const AT_ONCE = 25;

/** In milliseconds. */
const EVERY = 10_000;

export class Sparklines {
  /** @type {Map<string, {version: number, timeline: CampaignTimeline | null}>} */
  #known = new Map();
  #askedAt = -Infinity;
  #ask;
  #onChange;

  /** @param {import("./feed.js").Ask} ask @param {() => void} onChange */
  constructor(ask, onChange) {
    this.#ask = ask;
    this.#onChange = onChange;
  }

  /** @param {string} id the campaign's id @returns {CampaignTimeline | null} null until it is loaded */
  of(id) {
    return this.#known.get(id)?.timeline ?? null;
  }

  /**
   * Request the timelines that are missing, or else those that have changed.
   * @param {Summary[]} rows @param {number} now in milliseconds since 1970
   */
  load(rows, now) {
    if (now - this.#askedAt < EVERY) return;
    const unknown = rows.filter(({ campaign: { id } }) => !this.#known.has(id));
    const changed = (unknown.length ? unknown
      : rows.filter(({ campaign: { id }, version }) => this.#known.get(id)?.version !== version)
    ).slice(0, AT_ONCE);
    if (!changed.length) return;
    this.#askedAt = now;
    for (const { campaign: { id }, version } of changed) {
      this.#known.set(id, { version, timeline: this.of(id) });
    }
    const ids = changed.map(({ campaign }) => campaignTopic(campaign.id));
    this.#ask({ action: "listTimelines", ids }, (/** @type {CampaignTimeline} */ timeline) => {
      const known = this.#known.get(timeline.id);
      if (known) this.#known.set(timeline.id, { ...known, timeline });
      this.#onChange();
    }).then(
      () => { if (unknown.length > AT_ONCE) this.#askedAt = -Infinity; },
      // Requested again later, for example after a reconnect.
      () => { for (const { campaign } of changed) this.#known.delete(campaign.id); },
    );
  }
}
