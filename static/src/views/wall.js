/** A campaign on a wall screen: a few large numbers, no addresses, running for days. */

import { Component } from "preact";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { campaignHash } from "../route.js";
import { shownRate } from "../rates.js";
import { judgeCampaign } from "../reputation.js";
import { bucketsOf, defaultGrain } from "../select.js";
import { columnsOf } from "../series.js";
import { BarChart } from "./bar-chart.js";
import { Count } from "./count.js";
import { HealthLink } from "./health-link.js";
import { Heading } from "./heading.js";
import { ServerErrorNotice } from "./notice.js";
import { verdict } from "./pace.js";
import { StatusView } from "./status.js";

/** @typedef {import("./app.js").CampaignProps} Props */

const NUMBERS = /** @type {const} */ ([
  ["deliveries", "delivery", 1],
  ["readers", "read", 1],
  ["unique_human_clicks", "human_click", 1],
  ["hard_bounces", "bounce", 1],
  ["complaints", "complaint", 2],
]);

/** Two charts, each with its own scale. */
const CHARTS = /** @type {const} */ (["deliveries", "human_opens"]);

/** The longer the text, the smaller the font, so that nothing is cut off. @param {string} text */
const wide = (text) => ({ "--characters": Math.max(5, text.length) });

/** How the campaign does for its age. @param {{pace: import("../protocol.js").Pace | null | undefined, format: import("../format.js").Format}} props */
function Ratio({ pace, format }) {
  const metric = pace?.human_opens ? "human_opens" : "human_clicks";
  const now = pace?.[metric];
  if (!now) return null;
  const level = now.actual > now.high ? "above" : now.actual < now.low ? "below" : "usual";
  return html`<p class=${`ratio ${level}`}><b>${verdict(now, format)}</b> ${text(`wall.pace_${metric}`)}</p>`;
}

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
    const grain = data ? defaultGrain(data) : "minute";
    const [times, ...columns] = columnsOf(data ? bucketsOf(data, grain) : [], grain, CHARTS);
    const stale = status.state !== "live" && status.state !== "connecting";
    return html`
      <main class=${`wall ${stale ? "is-stale" : ""}`}>
        <header>
          <${Heading}><bdi>${summary?.campaign.title ?? id}</bdi><//>
          <${Ratio} pace=${data?.pace} format=${format} />
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
            const shown = format.percent(shownRate(rate, summary), digits);
            const { level, count, total } = rate === "bounce" || rate === "complaint"
              ? judgeCampaign(rate, summary?.counts) : { level: "ok" };
            return html`
              <div class=${`tile ${level}`} key=${counter}>
                <dt>${text(`rate_label.${rate}`)}</dt>
                <dd class="huge" style=${wide(shown)}>${shown}</dd>
                <dd>${level === "watch" ? text("campaign.too_few", { count: format.count(count), total: format.count(total) })
                  : html`<${Count} name=${counter} value=${summary?.counts[counter]} format=${format} />`}</dd>
              </div>`;
          })}
        </dl>`}
        <div class="charts">
          ${CHARTS.map((counter, index) => html`
            <section class="chart">
              <h2 class="legend"><i class=${`line ${counter}`}></i>${text(`label.${counter}`)} ${text(`wall.${grain}`)}</h2>
              <${BarChart} counters=${[counter]} columns=${[times, columns[index] ?? []]} data=${data} grain=${grain} format=${format} />
            </section>`)}
        </div>
        <p class="span">${summary?.campaign.recount_needed && `${text("campaign.recount")} `}${text("page.zone", { zone: format.zone })}</p>
      </main>`;
  }
}
