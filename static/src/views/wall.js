/** A campaign on a wall screen: a few large numbers, no addresses, running for days. */

import { Component } from "preact";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { campaignHash } from "../route.js";
import { REVIEW } from "../ranking.js";
import { bucketsOf } from "../select.js";
import { HEIGHT, WIDTH, bars } from "../sparkline.js";
import { Count } from "./count.js";
import { HealthLink } from "./health-link.js";
import { Heading } from "./heading.js";
import { ServerErrorNotice } from "./notice.js";
import { StatusView } from "./status.js";

/** @typedef {import("./app.js").CampaignProps} Props */

const NUMBERS = /** @type {const} */ ([
  ["deliveries", "delivery", 1],
  ["unique_human_opens", "human_open", 1],
  ["unique_human_clicks", "human_click", 1],
  ["hard_bounces", "bounce", 1],
  ["complaints", "complaint", 2],
]);

/** The longer the text, the smaller the font, so that nothing is cut off. @param {string} text */
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

  /** Keep the screen on. The browser releases the lock whenever the page is hidden. */
  #stayAwake = async () => {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    try {
      const lock = await navigator.wakeLock.request("screen");
      if (this.#left) lock.release();
      else this.#lock = lock;
    } catch (error) {
      console.info("Cannot keep the screen awake:", error); // for example, the battery is low
    }
  };

  #fullScreen = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  };

  render() {
    const { id, page, topic, data, summary } = this.props;
    const { format, status } = page;
    // Minutes are deleted after two days.
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
            ${document.fullscreenEnabled && html`<button type="button" onClick=${this.#fullScreen}>${text("wall.full_screen")}</button>`}
            <a class="button" href=${campaignHash(id)}>${text("wall.exit")}</a>
          </p>
        </header>
        ${topic?.error ? html`<${ServerErrorNotice} error=${topic.error} />` : html`<dl class="tiles">
          <div class="tile">
            <dt>${text("label.sends")}</dt>
            <dd class="huge" style=${wide(format.count(summary?.counts.sends ?? 0))}><${Count} name="sends" value=${summary?.counts.sends} format=${format} /></dd>
          </div>
          ${NUMBERS.map(([counter, rate, digits]) => {
            const value = summary?.rates[rate] ?? null;
            const shown = format.percent(value, digits);
            const high = rate in REVIEW && (value ?? 0) >= REVIEW[/** @type {"bounce"} */ (rate)];
            return html`
              <div class=${`tile ${high ? "warn" : ""}`} key=${counter}>
                <dt>${text(`rate_label.${rate}`)}</dt>
                <dd class="huge" style=${wide(shown)}>${shown}</dd>
                <dd><${Count} name=${counter} value=${summary?.counts[counter]} format=${format} /></dd>
              </div>`;
          })}
        </dl>`}
        <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img"
          aria-label=${text("page.sparkline")}>
          <path class="deliveries" d=${bars(timeline, "deliveries")} />
          <path class="human_opens" d=${bars(timeline, "human_opens")} />
        </svg>
        <p class="legend">
          <span><i class="line deliveries"></i>${text("label.deliveries")}</span><span><i class="line human_opens"></i>${text("label.human_opens")}</span>
          <span>${text(`wall.${resolution}_bars`)}</span>
        </p>
      </main>`;
  }
}
