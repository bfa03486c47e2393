import { percent, wholePercent } from "../lib/format.js";
import { bucketTime } from "./traffic.js";

/** The share of cats among the answers, over time. The shape of a chart: see traffic.js. */
export function catRatioChart({ series, window, predictions }) {
  const times = series.map((point) => bucketTime(point.time, window.seconds));
  const ratios = series.map(({ cat, total }) => (total > 0 ? cat / total : null));
  return {
    kind: "lines",
    stacked: false,
    unit: "share of cats",
    highest: 1,
    format: percent,
    tick: wholePercent,
    labels: times,
    series: [{ name: "cats", colour: "--cat", values: ratios }],
    summary: predictions.total > 0 ? `${percent(predictions.cat_ratio)} of all answers were “cat”.` : "No predictions.",
    columns: ["Time", "Share of cats"],
    rows: times.map((time, index) => [time, percent(ratios[index])]),
    raw: {
      name: `cat-ratio-${window.name}`,
      columns: ["time", "cat", "total", "cat_ratio"],
      rows: series.map(({ time, cat, total }, index) => [time, cat, total, ratios[index]]),
    },
  };
}
