/** The geometry of a bar chart: all series on one scale, which begins at 0. Pure. */

/** A bar is at most this wide, in em; the axis of a short campaign ends early instead. */
const WIDEST = 4;
const LABEL_EVERY = 6;
/** The least distance of two labels, in em. */
const GAP = 0.4;
/** The least distance of two lines, in em. */
const LINE_EVERY = 1.2;

/** Return about how wide a label is, in em: characters of East Asia are as wide as high. @param {string} label */
const widthOf = (label) => [...label].reduce((sum, one) => sum + (one > "\u2e80" ? 1 : 0.58), 0);

/**
 * From and to, in seconds since 1970.
 * @typedef {[number, number]} Range
 *
 * `times` and `columns` as of `columnsOf`; `step` is the width of a bucket in seconds; `shown`
 * whether each column is drawn; width, height and em in pixels.
 * @typedef {{times: number[], columns: number[][], shown: boolean[], step: number, zoom: Range | null,
 *            width: number, height: number, em: number, axis: ReturnType<typeof import("./axis.js").createAxisFormat>}} Input
 *
 * @typedef {{left: number, bottom: number, bars: (string | null)[],
 *            lines: {y: number, label: string}[], ticks: {x: number, label: string, at: number}[],
 *            xOf: (seconds: number) => number, rowAt: (x: number) => number | null}} Layout `bars`: an SVG path
 *   for each column; `rowAt` null where there is no bucket
 */

/** @param {Input} input @returns {Layout} */
export function layoutOf({ times, columns, shown, step, zoom, width, height, em, axis }) {
  const left = 3.4 * em;
  const bottom = height - 1.8 * em;
  const top = 0.7 * em;
  const first = times[0] ?? 0;
  const end = (times.at(-1) ?? 0) + step;
  const [from, to] = zoom ?? [first, end];
  const widest = WIDEST * em;
  const room = Math.max(1, width - left);
  const span = Math.max(to - from, (room / widest) * step) || 1;
  /** @param {number} seconds */
  const xOf = (seconds) => left + ((seconds - from) / span) * room;

  const rows = times.map((_, row) => row).filter((row) => Number(times[row]) + step > from && Number(times[row]) < to);
  const most = Math.max(4, ...columns.flatMap((column, index) => (shown[index] ? rows.map((row) => column[row] ?? 0) : [])));
  const unit = niceStep(most / Math.max(1, Math.min(4, Math.floor((bottom - top) / (LINE_EVERY * em)))));
  const highest = Math.ceil(most / unit) * unit;
  /** @param {number} value */
  const yOf = (value) => bottom - (value / highest) * (bottom - top);

  const slot = (step / span) * room;
  // Series lie over each other, the later ones narrower, so that each is visible at its full height.
  const drawn = shown.map((show, index) => (show ? shown.slice(0, index).filter(Boolean).length : -1));
  const bars = columns.map((column, index) => {
    const order = drawn[index] ?? -1;
    if (order < 0) return null;
    const wide = Math.max(0.5, slot * (0.9 - 0.29 * order));
    return rows.filter((row) => column[row]).map((row) => {
      const x = xOf(Number(times[row])) + (slot - wide) / 2;
      const high = Math.max(1, bottom - yOf(column[row] ?? 0));
      return `M${round(x)},${round(bottom)}v${round(-high)}h${round(wide)}v${round(high)}z`;
    }).join("");
  });

  const count = Math.round(highest / unit);
  const last = Math.min(to, end);
  let free = 0;
  const ticks = times.length === 0 ? [] : axis.ticks(from * 1000, last * 1000, (LABEL_EVERY * em * span * 1000) / room)
    .flatMap(({ at, label }) => {
      const half = widthOf(label) * em / 2;
      const tick = xOf(at / 1000);
      const x = Math.min(width - half, Math.max(half, tick));
      if (x - half < free) return [];
      free = x + half + GAP * em;
      return [{ at: tick, label, x }];
    });
  return {
    left, bottom, bars, ticks, xOf,
    lines: Array.from({ length: count + 1 }, (_, n) => ({ y: yOf(n * unit), label: axis.count(n * unit) })),
    rowAt(x) {
      const row = Math.floor((from + ((x - left) / room) * span - first) / step);
      return x >= left && row >= 0 && row < times.length ? row : null;
    },
  };
}

/** The next of 1, 2, 5, 10, 20, … @param {number} least */
export function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return Math.max(1, ([1, 2, 5, 10].find((n) => n * power >= least) ?? 10) * power);
}

/** @param {number} value */
export const round = (value) => Math.round(value * 10) / 10;
