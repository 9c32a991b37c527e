/** The pace of campaigns as a race, large enough for a wall screen. */

import { age } from "../format.js";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { ageOfPace, lanesOf, levelOf, raceOf } from "../race.js";
import { verdict } from "./pace.js";

/**
 * @typedef {import("../format.js").Format} Format
 * @typedef {import("../protocol.js").Pace} Pace
 * @typedef {{id: string, title: string, pace: Pace | null | undefined, incidents: boolean}} Runner
 */

/** Ages are shown in minutes up to this one. */
const MINUTES = 120;

/** @param {number} share of the track */
const percent = (share) => `${100 * share}%`;

/** @param {{ticks: number[], share: (value: number) => number, label: (value: number) => string}} props */
const Axis = ({ ticks, share, label }) => html`
  <div class="axis">${ticks.map((value) => html`<span key=${value} style=${{ insetInlineStart: percent(share(value)) }}>${label(value)}</span>`)}</div>`;

/**
 * One campaign: how many humans opened or clicked, against the usual range at the same age.
 * @param {{pace: Pace | null | undefined, loading: boolean, begun: number | null | undefined, at: number, format: Format}} props
 *   `begun`: the time of the first event; `at`: the current time
 */
export function Race({ pace, loading, begun, at, format }) {
  const race = raceOf(pace);
  if (!race) return html`<section class="race"><p class="no-pace">${loading ? "\u00a0" : silence(pace ?? null, format)}</p></section>`;
  const { metric, now, end, ticks, share } = race;
  const { count } = format;
  const level = levelOf(now);
  return html`
    <section class=${`race ${level}`} aria-labelledby="race">
      <h2 id="race">
        <b>${verdict(now, format)}</b>
        <span>${text(`wall.pace_${metric}`)} ${after(ageOfPace(begun, at))}</span>
      </h2>
      <div class="track" aria-hidden="true">
        <i class="range" style=${{ insetInlineStart: percent(share(now.low)), width: percent(share(now.high - now.low)) }}></i>
        ${end && html`<i class="range later" style=${{ insetInlineStart: percent(share(end.low)), width: percent(share(end.high - end.low)) }}></i>`}
        <i class=${`run ${metric}`} style=${{ width: percent(share(now.actual)) }}></i>
        <i class="expected" style=${{ insetInlineStart: percent(share(now.expected)) }}></i>
        ${end && html`<i class="expected later" style=${{ insetInlineStart: percent(share(end.expected)) }}></i>`}
        <${Axis} ticks=${ticks} share=${share} label=${count} />
      </div>
      <${Key} entries=${[
        ["so_far", `run ${metric}`, count(now.actual)],
        ["expected", "expected", count(now.expected)],
        ["usual_range", "range", `${count(now.low)}–${count(now.high)}`],
        ...end ? [["after_24", "expected later", count(end.expected)]] : [],
      ]} />
    </section>`;
}

/** The longer the numbers, the smaller the font. @param {{entries: [name: string, mark: string, number: string][]}} props */
function Key({ entries }) {
  const characters = entries.reduce((sum, [name, , number]) => sum + number.length + 0.6 * (text(`wall.${name}`) ?? "").length, 0);
  return html`
    <dl class="key-of-race" style=${{ "--characters": characters }}>
      ${entries.map(([name, mark, number]) => html`
        <div key=${name}><dt><i class=${mark}></i>${text(`wall.${name}`)}</dt> <dd data-race=${name}>${number}</dd></div>`)}
    </dl>`;
}

/** @param {number} milliseconds since the first event */
function after(milliseconds) {
  const minutes = Math.floor(milliseconds / 60_000);
  return minutes < MINUTES ? text("wall.after_minutes", { minutes }) : text("wall.after", { age: age(milliseconds).replace(" ago", "") });
}

/** Why there is no comparison. @param {Pace | null} pace @param {Format} format */
function silence(pace, format) {
  if (!pace) return text("pace.none");
  if (pace.needed === null) return text("pace.too_early");
  return text("pace.too_few", { count: format.count(pace.campaigns), needed: format.count(pace.needed) });
}

/**
 * Several campaigns, each by its ratio to what is usual for it.
 * @param {{runners: Runner[], format: Format}} props
 */
export function Lanes({ runners, format }) {
  const { lanes, others, ticks, share } = lanesOf(runners);
  return html`
    <div class="lanes" style=${{ "--lanes": Math.max(3, lanes.length) }}>
      <ol>
        ${lanes.map(({ one, metric, now, ratio, low, high }) => html`
          <li key=${one.id} class=${levelOf(now)}>
            <p class="name"><bdi>${one.title}</bdi>${one.incidents && html` <span class="alarm">${text("wall.incident")}</span>`}</p>
            <p class="ratio"><b>${verdict(now, format)}</b> <span>${text(`wall.pace_${metric}`)}</span></p>
            <div class="track" aria-hidden="true">
              <i class="range" style=${{ insetInlineStart: percent(share(low)), width: percent(share(high - low)) }}></i>
              <i class=${`run ${metric}`} style=${{ width: percent(share(ratio)) }}></i>
              <i class="expected" style=${{ insetInlineStart: percent(share(1)) }}></i>
            </div>
          </li>`)}
      </ol>
      <div class="track scale" aria-hidden="true"><${Axis} ticks=${ticks} share=${share} label=${(/** @type {number} */ value) => text("wall.times", { ratio: format.ratio(value) })} /></div>
      <p class="key-of-lanes">
        <span><i class="expected"></i>${text("wall.usual_for_age")}</span> <span><i class="range"></i>${text("wall.usual_range")}</span>
      </p>
      ${others.length > 0 && html`<p class="others">${text("wall.no_comparison")} ${others.map(({ title }, index) => html`${index > 0 && ", "}<bdi>${title}</bdi>`)}</p>`}
    </div>`;
}
