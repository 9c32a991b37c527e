/** Where a key moves the focus within a group of controls that is one stop of the Tab key. Pure. */

/**
 * The number of cells of each row; a toolbar has one row.
 * @typedef {readonly number[]} Widths
 * @typedef {readonly [row: number, column: number]} Place
 */

/**
 * @param {string} key of the keyboard, such as "ArrowRight"
 * @param {Widths} widths
 * @param {Place} place that has the focus
 * @returns {Place | null} the place that has it next, from the last one to the first; null if the key does not move it
 */
export function nextInToolbar(key, [width = 0], [, column]) {
  if (key === "Home") return [0, 0];
  if (key === "End") return [0, width - 1];
  const step = Number(key === "ArrowRight") - Number(key === "ArrowLeft");
  return step ? [0, (column + step + width) % width] : null;
}

/**
 * @param {string} key of the keyboard, such as "ArrowDown" or "Control+Home"
 * @param {Widths} widths
 * @param {Place} place that has the focus
 * @returns {Place | null} the place that has it next; null if the key does not move it
 */
export function nextInGrid(key, widths, [row, column]) {
  const last = (widths[row] ?? 0) - 1;
  // A row without this column, such as the title of a group, is passed over.
  const has = (/** @type {number} */ width) => column < width;
  switch (key) {
    case "ArrowRight": return [row, Math.min(last, column + 1)];
    case "ArrowLeft": return [row, Math.max(0, column - 1)];
    case "ArrowUp": return placed(widths.slice(0, row).findLastIndex(has), column) ?? [row, column];
    case "ArrowDown": return placed(widths.findIndex((width, index) => index > row && has(width)), column) ?? [row, column];
    case "Home": return [row, 0];
    case "End": return [row, last];
    case "Control+Home": return [0, 0];
    case "Control+End": return [widths.length - 1, (widths.at(-1) ?? 0) - 1];
    default: return null;
  }
}

/** @param {number} row -1 if there is none @param {number} column @returns {Place | null} */
const placed = (row, column) => (row < 0 ? null : [row, column]);
