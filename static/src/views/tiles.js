/** The campaign's key numbers: rate and count, people beside machines. */

import { html } from "../html.js";
import { Count } from "./count.js";

/**
 * @typedef {import("../protocol.js").Counter} Counter
 * @typedef {import("../protocol.js").Summary} Summary
 * @typedef {import("../format.js").Format} Format
 * @typedef {{summary: Summary | null, format: Format}} Numbers
 */

/** From here on SES reviews an account: its limits for the account as a whole. */
export const REVIEW = { bounce: 0.05, complaint: 0.001 };

/** @param {Numbers} props `summary`: null while nothing is known */
export function Tiles(props) {
  const { summary, format } = props;
  const counts = /** @type {Partial<import("../protocol.js").Counts>} */ (summary?.counts ?? {});
  const rates = summary?.rates;
  /** @param {Counter} name */
  const count = (name) => html`<${Count} name=${name} value=${counts[name]} format=${format} />`;
  /** @param {import("../protocol.js").RateName} name @param {number} [digits] */
  const rate = (name, digits) => format.percent(rates?.[name] ?? null, digits);

  return html`
    <h2 class="visually-hidden">Key numbers</h2>
    <div class="tiles" aria-busy=${summary === null}>
      <${Tile} label="Sent" place="sent">
        <p class="big">${count("sends")}</p>
        <p class="foot">${count("rejects")} rejected, ${count("rendering_failures")} not rendered</p>
      <//>
      <${Tile} label="Delivered" place="delivered">
        <p class="big">${rate("delivery")}</p>
        <p>${count("deliveries")} of sent</p>
        <p class="foot">${count("delivery_delays")} delayed</p>
      <//>
      <${Tile} label="Opened" place="opened">
        <div class="pair">
          <div>
            <p class="who">by people</p>
            <p class="big people">${rate("human_open")}</p>
            <p>${count("unique_human_opens")} of delivered</p>
          </div>
          <div>
            <p class="who">incl. machines</p>
            <p class="big">${rate("open")}</p>
            <p>${count("unique_opens")} of delivered</p>
          </div>
        </div>
        <${Split} all="opens" people="human_opens" machines="machine_opens" counts=${counts} count=${count} />
      <//>
      <${Tile} label="Clicked" place="clicked" aside=${`${rate("click_to_open")} of opened`}>
        <div class="pair">
          <div>
            <p class="who">by people</p>
            <p class="big people">${rate("human_click")}</p>
            <p>${count("unique_human_clicks")} of delivered</p>
          </div>
          <div>
            <p class="who">incl. machines</p>
            <p class="big">${rate("click")}</p>
            <p>${count("unique_clicks")} of delivered</p>
          </div>
        </div>
        <${Split} all="clicks" people="human_clicks" machines="machine_clicks" counts=${counts} count=${count} />
      <//>
      <${Tile} label="Bounced" warning=${(rates?.bounce ?? 0) >= REVIEW.bounce && "SES reviews accounts from 5 %"}>
        <p class="big">${rate("bounce")}</p>
        <p>${count("hard_bounces")} hard</p>
        <p class="foot">${count("soft_bounces")} soft, ${count("undetermined_bounces")} undetermined</p>
      <//>
      <${Tile} label="Complained" warning=${(rates?.complaint ?? 0) >= REVIEW.complaint && "SES reviews accounts from 0.1 %"}>
        <p class="big">${rate("complaint", 2)}</p>
        <p>${count("complaints")} of delivered</p>
      <//>
      <${Tile} label="Unsubscribed" place="unsubscribed">
        <p class="big">${count("unsubscribes")}</p>
      <//>
    </div>`;
}

/**
 * @param {{label: string, place?: string, aside?: string, warning?: string | false,
 *          children?: import("../html.js").Markup}} props `place`: its name in the style sheet
 */
function Tile({ label, place, aside, warning, children }) {
  return html`
    <section class=${`tile ${place ?? ""} ${warning ? "warn" : ""}`}>
      <div class="tile-head">
        <h3>${label}</h3>
        ${aside && html`<p class="foot">${aside}</p>`}
        ${warning && html`<p class="warning">${warning}</p>`}
      </div>
      ${children}
    </section>`;
}

/**
 * How all opens (or clicks) divide: by people, unknown, by machines.
 *
 * @param {{all: Counter, people: Counter, machines: Counter,
 *          counts: Partial<import("../protocol.js").Counts>,
 *          count: (name: Counter) => import("../html.js").Markup}} props
 */
function Split({ all, people, machines, counts, count }) {
  const total = counts[all] ?? 0;
  /** @param {number | undefined} value */
  const share = (value) => ({ width: `${total ? ((value ?? 0) / total) * 100 : 0}%` });
  return html`
    <div class="split" aria-hidden="true">
      <span class="by-people" style=${share(counts[people])}></span>
      <span class="by-machines" style=${share(counts[machines])}></span>
    </div>
    <dl class="key">
      <div><dt>All ${all}</dt><dd>${count(all)}</dd></div>
      <div><dt><i class="by-people"></i>By people</dt><dd>${count(people)}</dd></div>
      <div><dt><i class="by-machines"></i>By machines</dt><dd>${count(machines)}</dd></div>
    </dl>`;
}
