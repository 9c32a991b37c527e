/** The geometry of a chart of shares by age: a line per series, on a logarithmic axis of ages. Pure. */

/** Ages at which the axis has a label, in seconds. */
const LABELED = [60, 300, 900, 3600, 4 * 3600, 12 * 3600, ...[1, 3, 7, 14, 30, 60].map((days) => days * 86_400)];

/** Each series has marks at every fourth age, the next series one age later. */
const MARK_EVERY = 4;

/** The least distance of two labels, which are narrower, in em. */
const LABEL_EVERY = 3.6;

/** The dashes of a line, by the number of its series. */
export const DASHES = ["", "7 3", "2 3", "9 3 2 3", "14 4", "4 2 1 2"];

/**
 * @typedef {{left: number, bottom: number, paths: string[], marks: {x: number, y: number}[][],
 *            lines: {y: number, value: number}[], ticks: {x: number, age: number}[], digits: number,
 *            xOf: (age: number) => number, rowAt: (x: number) => number | null}} Lines `paths` and `marks` by
 *   series; `digits` of the percentages on the axis; `rowAt` the number of the nearest age
 */

/**
 * @param {{ages: number[], series: number[][], width: number, height: number, em: number}} input `ages` in
 *   seconds, ascending; a series has a share for each of the first ages
 * @returns {Lines}
 */
export function linesOf({ ages, series, width, height, em }) {
  const left = 3.4 * em;
  const right = width - em;
  const bottom = height - 1.8 * em;
  const top = 0.7 * em;
  const first = ages[0] ?? 1;
  const span = Math.log(Math.max(2, (ages.at(-1) ?? 0) / first));
  /** @param {number} age */
  const xOf = (age) => left + em / 2 + (Math.log(age / first) / span) * (right - left - em / 2);

  const most = Math.max(0.0004, ...series.flat());
  const unit = niceStep(most / 4);
  const highest = Math.ceil(most / unit - 1e-9) * unit;
  /** @param {number} share */
  const yOf = (share) => bottom - (share / highest) * (bottom - top);

  const points = series.map((shares) => shares.map((share, row) => ({ x: round(xOf(ages[row] ?? first)), y: round(yOf(share)) })));
  let free = -Infinity;
  const ticks = LABELED.flatMap((age) => {
    // The last label ends at the right edge.
    const x = Math.min(xOf(age), width - (LABEL_EVERY / 2) * em);
    if (x < left || xOf(age) > right + 1 || x - free < LABEL_EVERY * em || ages.length === 0) return [];
    free = x;
    return [{ age, x }];
  });
  return {
    left, bottom, ticks, xOf,
    paths: points.map((line) => line.map(({ x, y }, row) => `${row ? "L" : "M"}${x},${y}`).join("")),
    marks: points.map((line, number) => line.filter((_, row) => row === line.length - 1 || row % MARK_EVERY === number % MARK_EVERY)),
    lines: Array.from({ length: Math.round(highest / unit) + 1 }, (_, n) => ({ y: yOf(n * unit), value: n * unit })),
    digits: unit < 0.001 ? 2 : unit < 0.01 ? 1 : 0,
    rowAt(x) {
      if (x < left || ages.length === 0) return null;
      const distances = ages.map((age) => Math.abs(xOf(age) - x));
      return distances.indexOf(Math.min(...distances));
    },
  };
}

/**
 * @param {number} series its number
 * @param {{x: number, y: number}} at
 * @param {number} r half of its size
 * @returns {string} the path of the mark: each series has another shape
 */
export function markOf(series, { x, y }, r) {
  switch (series) {
    case 0: return `M${x - r},${y}a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0z`;
    case 1: return `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;
    case 2: return `M${x},${y - 1.2 * r}l${1.2 * r},${2.2 * r}h${-2.4 * r}z`;
    case 3: return `M${x},${y - 1.3 * r}l${1.3 * r},${1.3 * r}l${-1.3 * r},${1.3 * r}l${-1.3 * r},${-1.3 * r}z`;
    case 4: return `M${x},${y + 1.2 * r}l${1.2 * r},${-2.2 * r}h${-2.4 * r}z`;
    default: return `M${x - r},${y - r}l${2 * r},${2 * r}m0,${-2 * r}l${-2 * r},${2 * r}`;
  }
}

/** The next of 1, 2, 5, 10, … times a power of 10. @param {number} least */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5, 10].find((n) => n * power >= least * (1 - 1e-9)) ?? 10) * power;
}

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;

/**
 * Format ages, such as "1 d 12 h".
 * @param {string} [locale]
 */
export function createAges(locale) {
  const number = new Intl.NumberFormat(locale);
  /** @param {number} seconds whole @returns {string} */
  return function format(seconds) {
    const [size, unit] = /** @type {const} */ ([[86_400, "d"], [3600, "h"], [60, "min"]]).find(([one]) => seconds >= one) ?? [1, "s"];
    const rest = seconds % size;
    return `${number.format(Math.floor(seconds / size))} ${unit}${rest ? ` ${format(rest)}` : ""}`;
  };
}
