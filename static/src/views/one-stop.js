/** A toolbar or grid: one stop of the Tab key, with arrow keys that move the focus within it. */

import { Component, createRef } from "preact";
import { nextInGrid, nextInToolbar } from "../arrow-keys.js";
import { html } from "../html.js";

/** What can have the focus in a cell: its control, or the cell itself. @param {HTMLTableCellElement} cell @returns {HTMLElement} */
const controlIn = (cell) => cell.querySelector("a[href], button") ?? cell;

const KINDS = {
  toolbar: {
    tag: "div",
    next: nextInToolbar,
    /** @param {HTMLElement} root @returns {HTMLElement[][]} */
    rowsIn: (root) => [[...root.querySelectorAll("button")]],
  },
  grid: {
    tag: "table",
    next: nextInGrid,
    /** @param {HTMLElement} root @returns {HTMLElement[][]} */
    rowsIn: (root) => [.../** @type {HTMLTableElement} */ (root).tBodies].flatMap((body) => [...body.rows].map((row) => [...row.cells].map(controlIn))),
  },
};

/**
 * The Tab key stops at the control that had the focus last, or at the first.
 *
 * @typedef {Record<string, unknown> & {role: keyof typeof KINDS, children?: import("../html.js").Markup}} Props of the element
 * @extends {Component<Props>}
 */
export class OneStop extends Component {
  /** @type {import("preact").RefObject<HTMLElement | null>} */
  #root = createRef();
  /** @type {HTMLElement | undefined} where the Tab key stops */
  #stop;

  componentDidMount() {
    this.#arrange();
  }

  /** Controls may have appeared, moved, or disappeared. */
  componentDidUpdate() {
    this.#arrange();
  }

  #rows() {
    return this.#root.current ? KINDS[this.props.role].rowsIn(this.#root.current) : [];
  }

  #arrange() {
    const all = this.#rows().flat();
    if (!this.#stop || !all.includes(this.#stop)) [this.#stop] = all;
    for (const one of all) {
      const index = one === this.#stop ? "0" : "-1";
      if (one.getAttribute("tabindex") !== index) one.setAttribute("tabindex", index);
    }
  }

  /** @param {FocusEvent} event */
  #follow = ({ target }) => {
    this.#stop = /** @type {HTMLElement} */ (target);
    this.#arrange();
  };

  /** @param {KeyboardEvent} event */
  #move = (event) => {
    const { key, target, altKey, ctrlKey, metaKey } = event;
    if (altKey || metaKey) return;
    const rows = this.#rows();
    const row = rows.findIndex((cells) => cells.includes(/** @type {HTMLElement} */ (target)));
    const column = rows[row]?.indexOf(/** @type {HTMLElement} */ (target)) ?? 0;
    const place = KINDS[this.props.role].next(ctrlKey ? `Control+${key}` : key, rows.map(({ length }) => length), [row, column]);
    if (!place) return;
    event.preventDefault(); // the page does not scroll
    rows[place[0]]?.[place[1]]?.focus();
  };

  render() {
    const { children, ...attributes } = this.props;
    return html`<${KINDS[attributes.role].tag} ...${attributes} ref=${this.#root} onKeyDown=${this.#move} onFocusIn=${this.#follow}>${children}<//>`;
  }
}
