/** The filters and the order of the list. */

import { Component } from "preact";
import { text } from "../glossary.js";
import { html } from "../html.js";
import { MOST_CHARACTERS, NEWEST, SORTS, dayOf, isFiltered, isLive, orderKey, unfiltered } from "../list-query.js";

/** @typedef {import("../list-query.js").Query} Query */

const DAY = 86_400_000;

/** An earlier day is one whose year is not typed completely. */
const EARLIEST = "1990-01-01";

/** Periods that end today, by their number of days. */
const LAST_DAYS = [7, 30, 90, 365];

/**
 * @param {number} now in milliseconds since 1970
 * @returns {[string, string | null][]} the names of the periods, and their first days
 */
const periods = (now) => [
  ["all", null], ...LAST_DAYS.map((days) => /** @type {[string, string]} */ ([`last_${days}`, dayOf(now - (days - 1) * DAY)])),
];

/**
 * `custom`: whether the reader has chosen to enter the days of the period. `open`: whether the filters are
 * shown on a small screen. `typed`: the filter that is being typed, and its value until then. `tags`: those that
 * the campaigns shown have. `clearable`: whether there is a button that clears the filters.
 * @typedef {{name: "sender" | "tag", text: string, before: string}} Typed
 * @typedef {{query: Query, now: number, tags: string[], clearable: boolean, onChange: (query: Query) => void}} Props
 * @extends {Component<Props, {custom: boolean, open: boolean, typed: Typed | null}>}
 */
export class ListFilters extends Component {
  /** @type {{custom: boolean, open: boolean, typed: Typed | null}} */
  state = { custom: false, open: false, typed: null };

  /** @param {Props} before */
  componentDidUpdate({ query }) {
    const { typed } = this.state;
    if (typed && query[typed.name] !== this.props.query[typed.name]) this.setState({ typed: null });
  }

  render() {
    const { query, now, tags, clearable, onChange } = this.props;
    const { from, to, sort, order } = query;
    const choices = periods(now);
    const preset = to === null ? choices.find(([, first]) => first === from)?.[0] : undefined;
    const isCustom = this.state.custom || preset === undefined;
    /** @param {Partial<Query>} some */
    const change = (some) => onChange({ ...query, ...some, rows: NEWEST.rows });
    /** @param {string} value */
    const choose = (value) => {
      this.setState({ custom: value === "custom" });
      const [, first] = choices.find(([name]) => name === value) ?? [];
      if (first !== undefined) change({ from: first, to: null });
    };
    const { open, typed } = this.state;
    return html`
      <button type="button" class="fold" aria-expanded=${open} onClick=${() => this.setState({ open: !open })}>
        ${open ? "▴" : "▾"} ${text("list.filters")}${!open && !isLive(query) && html`: <b>${text(`list.by_${sort}`)}${isFiltered(query) && text("list.filtered")}</b>`}
      </button>
      <div class=${`filters ${open ? "" : "folded"}`} role="group" aria-label=${text("list.filters")}>
        <label>${text("list.period")}
          <select value=${isCustom ? "custom" : preset} title=${text("list.period_hint")} onChange=${(/** @type {any} */ event) => choose(event.target.value)}>
            ${choices.map(([name]) => html`<option value=${name}>${text(`list.${name}`)}</option>`)}
            <option value="custom">${text("list.custom")}</option>
          </select>
        </label>
        ${isCustom && html`
          ${/** @type {const} */ (["from", "to"]).map((name) => html`
            <label key=${name}>${text(`list.${name}`)}
              <input type="date" value=${query[name] ?? ""} min=${name === "to" ? from : undefined} max=${name === "from" ? to : undefined}
                onChange=${(/** @type {any} */ { target: { value } }) => (value === "" || value >= EARLIEST) && change({ [name]: value || null })} />
            </label>`)}`}
        ${/** @type {const} */ (["sender", "tag"]).map((name) => html`
          <label key=${name}>${text(`list.${name}`)}
            <input type="text" value=${typed?.name === name && typed.before === query[name] ? typed.text : query[name]} maxlength=${MOST_CHARACTERS}
              placeholder=${text(`list.${name}_hint`)} list=${name === "tag" ? "tags" : undefined}
              onInput=${(/** @type {any} */ { target: { value } }) => {
                this.setState({ typed: { name, text: value, before: query[name] } });
                // A suggestion that is chosen applies at once.
                if (name === "tag" && tags.includes(value)) change({ tag: value });
              }}
              onChange=${(/** @type {any} */ event) => change({ [name]: event.target.value.trim() })} />
          </label>`)}
        <label>${text("list.tests")}
          <select value=${query.tests} onChange=${(/** @type {any} */ event) => change({ tests: Number(event.target.value) })}>
            ${[0, 1].map((tests) => html`<option value=${tests}>${text(`list.tests_${tests}`)}</option>`)}
          </select>
        </label>
        <datalist id="tags">${tags.map((tag) => html`<option value=${tag} />`)}</datalist>
        <span class="order">
          <label>${text("list.sort")}
            <select value=${sort} onChange=${(/** @type {any} */ event) => change({ sort: event.target.value, order: "desc" })}>
              ${SORTS.map((name) => html`<option value=${name}>${text(`list.by_${name}`)}</option>`)}
            </select>
          </label>
          <button type="button" onClick=${() => change({ order: order === "asc" ? "desc" : "asc" })}>
            ${order === "asc" ? "▲" : "▼"} ${text(orderKey(query))}
          </button>
        </span>
        ${clearable && isFiltered(query) && html`
          <button type="button" class="clear" onClick=${() => {
            this.setState({ custom: false, typed: null });
            onChange(unfiltered(query));
          }}>${text("list.clear")}</button>`}
      </div>`;
  }
}

/**
 * @param {Query} query
 * @param {import("../format.js").Format} format
 * @returns {string} the search and the filters; "" if there are none
 */
export function describe({ search, from, to, sender, tag }, format) {
  const parts = [
    search && text("list.filter_search", { search }),
    from && to ? text("list.filter_between", { from: format.day(from), to: format.day(to) })
      : from ? text("list.filter_from", { from: format.day(from) }) : to && text("list.filter_to", { to: format.day(to) }),
    sender && text("list.filter_sender", { sender }),
    tag && text("list.filter_tag", { tag }),
  ];
  return parts.filter(Boolean).join(text("list.filter_and"));
}
