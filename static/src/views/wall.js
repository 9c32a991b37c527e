/** Campaigns on a wall screen, in rotation: a few large numbers, no addresses, running for days. */

import { Component } from "preact";
import { MOST, chosenOf } from "../chosen.js";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { wallHash } from "../leader.js";
import { LIST_TOPIC, campaignTopic } from "../protocol.js";
import { comparedOf } from "../race.js";
import { NOTHING, currentOf, lengthOf, parseWall, stepped, turned, wallQuery } from "../rotation.js";
import { campaignHash } from "../route.js";
import { runningOf } from "../select.js";
import { HealthLink } from "./health-link.js";
import { Heading } from "./heading.js";
import { Notice } from "./notice.js";
import { QueryProblems } from "./query-problems.js";
import { Lanes } from "./race.js";
import { StatusView } from "./status.js";
import { WallCampaign } from "./wall-campaign.js";

/** The name of the frame with all campaigns; no campaign has it. */
const ALL = "";

/** The longer the name, the smaller the font. @param {string} title */
const long = (title) => ({ "--characters": Math.max(12, title.length) });

/**
 * `ids`: the campaigns in the URL; none for those that run now.
 * @typedef {{page: import("./app.js").Page, ids: string[], query: string}} Props
 * @typedef {import("../rotation.js").Frame & Pick<import("./app.js").CampaignProps, "topic" | "data" | "summary"> & {title: string}} Shown
 * @extends {Component<Props, {paused: boolean}>}
 */
export class WallView extends Component {
  state = { paused: false };
  /** @type {{release: () => Promise<void>} | null} */
  #lock = null;
  #left = false;
  #rotation = NOTHING;
  /** @type {Shown[]} */
  #frames = [];

  componentDidMount() {
    this.#stayAwake();
    document.addEventListener("visibilitychange", this.#stayAwake);
    addEventListener("keydown", this.#onKey);
    this.#follow();
    // A list that was on the screen may have limited whose changes are pushed.
    if (this.#isOpen) this.props.page.watch();
  }

  componentDidUpdate() {
    this.#follow();
  }

  componentWillUnmount() {
    document.removeEventListener("visibilitychange", this.#stayAwake);
    removeEventListener("keydown", this.#onKey);
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

  /** @param {KeyboardEvent} event */
  #onKey = (event) => {
    const { key, ctrlKey, metaKey, altKey, target } = event;
    if (ctrlKey || metaKey || altKey || this.#frames.length < 2) return;
    if (key === "ArrowRight" || key === "ArrowLeft") this.#step(key === "ArrowRight" ? 1 : -1);
    // The space bar also presses the button that has the focus.
    if (key !== " " || /** @type {Element} */ (target).closest("button, a")) return;
    event.preventDefault();
    this.#pause();
  };

  /** @param {number} by */
  #step(by) {
    this.#rotation = stepped(this.#rotation, this.#frames, by, this.props.page.now);
    this.setState({});
  }

  #pause = () => this.setState({ paused: !this.state.paused });

  /** Whether the URL leaves open which campaigns are shown. */
  get #isOpen() {
    return !this.props.ids.some(Boolean);
  }

  /** @returns {{ids: string[], left: string[]}} the campaigns that are shown, and those that are left out */
  #chosen() {
    const { page, ids } = this.props;
    if (!this.#isOpen) return chosenOf(ids);
    const list = page.state.get(LIST_TOPIC)?.shown;
    return { ids: list?.type === "list" ? currentOf(list.campaigns.values(), page.now) : [], left: [] };
  }

  /** Subscribe to what is shown, and name it in the title of the tab. */
  #follow() {
    const { page } = this.props;
    page.subscribe([...(this.#isOpen ? [LIST_TOPIC] : []), ...this.#chosen().ids.map(campaignTopic)]);
    const shown = this.#frames.find(({ name }) => name === this.#rotation.name);
    document.title = `${shown?.title ?? text("campaign.wall")} – Mailpulse`;
  }

  /** @param {string} id @returns {Shown} */
  #frame(id) {
    const { state } = this.props.page;
    const topic = state.get(campaignTopic(id));
    const data = topic?.shown?.type === "campaign" ? topic.shown : null;
    const list = state.get(LIST_TOPIC)?.shown;
    const summary = data?.summary ?? (list?.type === "list" ? list.campaigns.get(id) : null) ?? null;
    const running = runningOf(data);
    return {
      name: id, title: summary?.campaign.title ?? id, topic, data, summary, incidents: running.length > 0,
      critical: running.filter(({ level }) => level === "critical").map(({ incident }) => `${id} ${incident}`),
    };
  }

  /** @param {string[]} ids @returns {Shown[]} the campaigns, and all of them together if at least two can be compared */
  #framesOf(ids) {
    const frames = ids.map((id) => this.#frame(id));
    if (frames.filter(({ data }) => comparedOf(data?.pace)).length < 2) return frames;
    return [...frames, {
      name: ALL, title: text("wall.all") ?? "", topic: undefined, data: null, summary: null, incidents: false, critical: [],
    }];
  }

  render() {
    const { page, ids: named, query } = this.props;
    const { format, now, problem, status: { state } } = page;
    const { paused } = this.state;
    const { every, problems } = parseWall(query);
    const { ids, left } = this.#chosen();
    this.#frames = this.#framesOf(ids);
    this.#rotation = turned(this.#rotation, this.#frames, { now, every, paused });
    const shown = this.#frames.find(({ name }) => name === this.#rotation.name);
    const list = page.state.get(LIST_TOPIC);
    const error = this.#isOpen ? list?.error : undefined;
    const title = shown?.title ?? text(this.#isOpen && list?.shown ? "wall.none" : "page.loading") ?? "";
    const isStale = state !== "live" && state !== "connecting";
    return html`
      <main class=${`wall ${isStale ? "is-stale" : ""}`}>
        <header>
          <${Heading}><bdi style=${long(title)}>${title}</bdi><//>
          <${StatusView} page=${page} id=${shown?.name || undefined} />
        </header>
        ${problem && html`<${Notice}>${problem}<//>`}
        <${QueryProblems} problems=${problems} onDismiss=${() => page.go(`${wallHash(...named)}${wallQuery(every)}`, true)} />
        ${left.length > 0 && html`<${Notice}>${text("wall.left_out", { most: MOST, names: left.join(", ") })}<//>`}
        ${shown?.name === ALL ? html`<${Lanes} format=${format} runners=${this.#frames.filter(({ name }) => name !== ALL).map(
          ({ name, title: one, data, incidents }) => ({ id: name, title: one, pace: data?.pace, incidents }))} />`
          : html`<${WallCampaign} key=${shown?.name} page=${page} error=${shown?.topic?.error ?? error} data=${shown?.data ?? null} summary=${shown?.summary ?? null} />`}
        <footer>
          ${this.#frames.length > 1 && this.#rotationBar(every)}
          <div class="about">
            <${HealthLink} page=${page} />
            <span>${shown?.summary?.campaign.recount_needed && `${text("campaign.recount")} `}${text("page.zone", { zone: format.zone })}</span>
            ${document.fullscreenEnabled && html`<button type="button" onClick=${this.#fullScreen}>${text("wall.full_screen")}</button>`}
            <a class="button" href=${this.#isOpen || !shown?.name ? "#/" : campaignHash(shown.name)}>${text("wall.exit")}</a>
          </div>
        </footer>
      </main>`;
  }

  /** A mark for each frame, and buttons. @param {number} every in seconds */
  #rotationBar(every) {
    const { now } = this.props.page;
    const { name: current, since } = this.#rotation;
    const { paused } = this.state;
    return html`
      <div class="rotation" role="group" aria-label=${text("wall.rotation")}>
        <button type="button" aria-label=${text("wall.previous")} onClick=${() => this.#step(-1)}>‹</button>
        <button type="button" aria-label=${text("wall.next")} onClick=${() => this.#step(1)}>›</button>
        <button type="button" class="pause" aria-pressed=${paused} onClick=${this.#pause}>${text("wall.pause")}</button>
        <ol>
          ${this.#frames.map((frame, index) => {
            const isCurrent = frame.name === current;
            const passed = Math.min(1, (now - since) / lengthOf(frame, every));
            return html`
              <li key=${frame.name}>
                <button type="button" class=${`mark ${frame.critical.length ? "bad" : frame.incidents ? "watch" : ""}`} aria-current=${isCurrent}
                  aria-label=${text(frame.incidents ? "wall.frame_with_incident" : "wall.frame", { number: index + 1, name: frame.title })} title=${frame.title}
                  onClick=${() => this.#step(index - this.#frames.findIndex(({ name }) => name === current))}>
                  ${frame.incidents ? "!" : index + 1}
                </button>
                ${isCurrent && !paused && html`<i class="passed" aria-hidden="true" style=${{ width: `${100 * passed}%` }}></i>`}
              </li>`;
          })}
        </ol>
      </div>`;
  }
}
