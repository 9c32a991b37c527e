/** A campaign on a wall screen: a few large numbers, no addresses, for days. */

import { Component } from "preact";
import { html } from "../html.js";
import { campaignHash } from "../route.js";
import { REVIEW } from "../ranking.js";
import { bucketsOf } from "../select.js";
import { HEIGHT, WIDTH, bars } from "../outline.js";
import { Count } from "./count.js";
import { HealthLink } from "./health-link.js";
import { Heading } from "./heading.js";
import { Refusal } from "./notice.js";
import { StatusView } from "./status.js";

/** @typedef {import("./app.js").CampaignProps} Props */

const NUMBERS = /** @type {const} */ ([
  ["Delivered", "deliveries", "delivery", 1],
  ["Opened by people", "unique_human_opens", "human_open", 1],
  ["Clicked by people", "unique_human_clicks", "human_click", 1],
  ["Bounced", "hard_bounces", "bounce", 1],
  ["Complained", "complaints", "complaint", 2],
]);

/** The more characters, the smaller: none is cut. @param {string} text */
const wide = (text) => ({ "--characters": Math.max(5, text.length) });

/** @extends {Component<Props>} */
export class WallView extends Component {
  /** @type {{release: () => Promise<void>} | null} */
  #lock = null;
  #left = false;

  componentDidMount() {
    this.#stayAwake();
    document.addEventListener("visibilitychange", this.#stayAwake);
  }

  componentWillUnmount() {
    document.removeEventListener("visibilitychange", this.#stayAwake);
    this.#left = true;
    this.#lock?.release();
    if (document.fullscreenElement) document.exitFullscreen();
  }

  /** A screen that goes dark is no wall; the browser takes the lock back whenever the page is hidden. */
  #stayAwake = async () => {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    try {
      const lock = await navigator.wakeLock.request("screen");
      if (this.#left) lock.release();
      else this.#lock = lock;
    } catch (error) {
      console.info("The screen may go dark:", error); // a low battery, say
    }
  };

  #fullScreen = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  };

  render() {
    const { id, page, topic, data, summary } = this.props;
    const { format, status } = page;
    // Minutes are forgotten after two days.
    const resolution = data?.timeline.minute.size === 0 ? "hour" : "minute";
    const buckets = data ? bucketsOf(data, resolution).map(({ at, counts }) => ({
      at, deliveries: counts.deliveries ?? 0, human_opens: counts.human_opens ?? 0,
    })) : [];
    const timeline = { id, resolution: /** @type {"minute" | "hour"} */ (resolution), buckets };
    const stale = status.state !== "live" && status.state !== "connecting";
    return html`
      <main class=${`wall ${stale ? "is-stale" : ""}`}>
        <header>
          <${Heading}><bdi>${summary?.campaign.title ?? id}</bdi><//>
          <${HealthLink} page=${page} />
          <${StatusView} page=${page} />
          <p class="actions">
            ${document.fullscreenEnabled && html`<button type="button" onClick=${this.#fullScreen}>Full screen</button>`}
            <a class="button" href=${campaignHash(id)}>Leave</a>
          </p>
        </header>
        ${topic?.error ? html`<${Refusal} error=${topic.error} />` : html`<dl class="tiles">
          <div class="tile">
            <dt>Sent</dt>
            <dd class="huge" style=${wide(format.count(summary?.counts.sends ?? 0))}><${Count} name="sends" value=${summary?.counts.sends} format=${format} /></dd>
          </div>
          ${NUMBERS.map(([label, counter, rate, digits]) => {
            const value = summary?.rates[rate] ?? null;
            const shown = format.percent(value, digits);
            const high = rate in REVIEW && (value ?? 0) >= REVIEW[/** @type {"bounce"} */ (rate)];
            return html`
              <div class=${`tile ${high ? "warn" : ""}`} key=${counter}>
                <dt>${label}</dt>
                <dd class="huge" style=${wide(shown)}>${shown}</dd>
                <dd><${Count} name=${counter} value=${summary?.counts[counter]} format=${format} /></dd>
              </div>`;
          })}
        </dl>`}
        <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img"
          aria-label="Deliveries, and opens by people, over time">
          <path class="deliveries" d=${bars(timeline, "deliveries")} />
          <path class="human_opens" d=${bars(timeline, "human_opens")} />
        </svg>
        <p class="legend">
          <span><i class="line deliveries"></i>Delivered</span><span><i class="line human_opens"></i>Opened by people</span>
          <span>by the ${resolution}, each on its own scale</span>
        </p>
      </main>`;
  }
}
