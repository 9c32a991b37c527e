/** A time series on a canvas: the only module that uses uPlot, loaded on demand. */

import uPlot from "uplot";
import { createAxisFormat } from "../axis.js";

const HEIGHT = 170;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** Steps of the time axis in seconds; none is finer than a bucket. */
const TIME_STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 7, 14, 28, 56, 112, 364].map((n) => n * DAY),
];

/** Steps of the count axis: 1, 2, 5, 10, 20, … */
const COUNT_STEPS = Array.from({ length: 13 }, (_, n) => [10 ** n, 2 * 10 ** n, 5 * 10 ** n]).flat();

/**
 * From and to, in seconds since 1970.
 * @typedef {[number, number]} Range
 * @typedef {{update: (columns: number[][], shown: boolean[], zoom: Range | null) => void,
 *            destroy: () => void}} Chart
 */

/**
 * @param {HTMLElement} element whose width the chart fills; its colors are custom properties
 * @param {{series: import("./timeline.js").Series[], grain: import("../protocol.js").Grain,
 *          format: import("../format.js").Format, onPoint: (row: number | null) => void,
 *          onZoom: (zoom: Range | null) => void}} options `onPoint` receives the row at the
 *   pointer, null when it leaves; `onZoom` the range that was dragged over, null for all
 * @returns {Chart}
 */
export function createChart(element, { series, grain, format, onPoint, onZoom }) {
  /** @param {string} name of a custom property */
  const color = (name) => getComputedStyle(element).getPropertyValue(name);
  const utc = grain === "day";
  const axis = createAxisFormat(format.locale, utc ? "UTC" : undefined);
  const look = { stroke: () => color("--muted"), font: "12px system-ui, sans-serif" };

  const plot = new uPlot({
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    tzDate: (seconds) => (utc ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000)),
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false },
      sync: { key: "timeline" },
      bind: { dblclick: () => () => { onZoom(null); return null; } },
    },
    scales: { y: { range: (_, __, max) => [0, Math.max(4, (max || 0) * 1.1)] } },
    axes: [
      {
        ...look,
        grid: { show: false },
        ticks: { stroke: () => color("--line"), size: 4 },
        incrs: TIME_STEPS,
        space: 70,
        size: 28,
        values: (_, splits, __, ___, step) => splits.map((at) => axis.time(at * 1000, step >= DAY)),
      },
      {
        ...look,
        grid: { stroke: () => color("--line"), width: 1 },
        ticks: { show: false },
        incrs: COUNT_STEPS,
        space: 32,
        size: 52,
        values: (_, splits) => splits.map(axis.count),
      },
    ],
    series: [{}, ...series.map((line) => ({
      label: line.counter,
      stroke: () => color(line.color),
      fill: line.fill ? () => `${color(line.color)}26` : undefined,
      width: 2,
      points: { show: false },
    }))],
    hooks: {
      setCursor: [(self) => onPoint(self.cursor.idx ?? null)],
      setSelect: [(self) => {
        const { left, width } = self.select;
        if (width < 4) return;
        self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        onZoom([self.posToVal(left, "x"), self.posToVal(left + width, "x")]);
      }],
    },
  }, [[], ...series.map(() => [])], element);

  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const repaint = () => plot.redraw();
  scheme.addEventListener("change", repaint);
  const resizing = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
  resizing.observe(element);

  return {
    update([times = [], ...columns], shown, zoom) {
      plot.batch(() => {
        plot.setData(/** @type {uPlot.AlignedData} */ ([times, ...columns.map(lifted)]), times.length === 0);
        shown.forEach((show, index) => {
          if (plot.series[index + 1]?.show !== show) plot.setSeries(index + 1, { show });
        });
        const [min, max] = zoom ?? [times[0], times.at(-1)];
        if (min !== undefined && max !== undefined) plot.setScale("x", { min, max });
      });
    },
    destroy() {
      scheme.removeEventListener("change", repaint);
      resizing.disconnect();
      plot.destroy();
    },
  };
}

/**
 * Leave out the line where nothing happens, which would otherwise underline the whole chart.
 * @param {number[]} column
 */
function lifted(column) {
  return column.map((value, row) => (value || column[row - 1] || column[row + 1] ? value : null));
}
