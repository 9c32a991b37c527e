/** One campaign on a wall screen: four numbers, its problems, its pace as a race, and two charts. */

import { text } from "../glossary.js";
import { html } from "../html.js";
import { shownRate } from "../rates.js";
import { bucketsOf, defaultGrain } from "../select.js";
import { columnsOf } from "../series.js";
import { BarChart } from "./bar-chart.js";
import { Count } from "./count.js";
import { ServerErrorNotice } from "./notice.js";
import { Race } from "./race.js";
import { WallProblems } from "./wall-problems.js";

const DAY = 86_400_000;

/** The counters, with their names and rates. */
const NUMBERS = /** @type {const} */ ([
  ["sends", "label.sends", null],
  ["deliveries", "label.deliveries", "delivery"],
  ["readers", "label.readers", "read"],
  ["unique_human_clicks", "wall.clicked", "human_click"],
]);

/** Two charts, each with its own scale. */
const CHARTS = /** @type {const} */ (["human_opens", "deliveries"]);

/** The longer the number, the smaller the font, so that nothing is cut off. @param {string} number */
const wide = (number) => ({ "--characters": Math.max(5, number.length) });

/**
 * @param {{page: import("./app.js").Page, error: import("../protocol.js").ServerError | null | undefined,
 *          data: import("../state.js").CampaignData | null, summary: import("../protocol.js").Summary | null}} props
 *   `data` and `summary`: null while they are loading
 */
export function WallCampaign({ page, error, data, summary }) {
  const { format, now } = page;
  if (error) return html`<${ServerErrorNotice} error=${error} />`;
  const grain = data ? defaultGrain(data) : "minute";
  const [times, ...columns] = columnsOf(data ? bucketsOf(data, grain) : [], grain, CHARTS);
  return html`
    <dl class="tiles">
      ${NUMBERS.map(([counter, label, rate]) => {
        const value = summary?.counts[counter];
        return html`
          <div class="tile" key=${counter}>
            <dt>${text(label)}</dt>
            <dd class="huge" style=${wide(format.count(value))}><${Count} name=${counter} value=${value} format=${format} /></dd>
            <dd class="rate">${rate ? share(rate, summary, format) : begun(summary, now, format)}</dd>
          </div>`;
      })}
    </dl>
    <${WallProblems} ...${{ summary, data, now, format }} />
    <${Race} pace=${data?.pace} loading=${!data} begun=${summary?.campaign.first_event_at} at=${now} format=${format} />
    <div class="charts">
      ${CHARTS.map((counter, index) => html`
        <section class="chart" key=${counter}>
          <h2 class="legend"><i class=${`line ${counter}`}></i>${text(`label.${counter}`)} ${text(`wall.${grain}`)}</h2>
          <${BarChart} counters=${[counter]} columns=${[times, columns[index] ?? []]} data=${data} grain=${grain} format=${format} />
        </section>`)}
    </div>`;
}

/**
 * @param {import("../protocol.js").Summary | null} summary
 * @param {number} now
 * @param {import("../format.js").Format} format
 * @returns {string | undefined} since when emails have been sent; its room if that is unknown
 */
function begun(summary, now, format) {
  const at = summary?.campaign.first_event_at ?? null;
  return at === null ? "\u00a0" : text("wall.since", { time: now - at < DAY ? format.clock(at) : format.dateTime(at) });
}

/**
 * @param {"delivery" | "read" | "human_click"} rate
 * @param {import("../protocol.js").Summary | null} summary
 * @param {import("../format.js").Format} format
 */
function share(rate, summary, format) {
  const of = rate !== "delivery" ? "delivered" : summary?.counts.prevented ? "attempted" : "sent";
  return html`<b>${format.percent(shownRate(rate, summary))}</b> ${text(`wall.of_${of}`)}`;
}
