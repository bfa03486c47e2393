import { clockTime, count, counted } from "../lib/format.js";

/**
 * Predictions over time, cats and others stacked.
 *
 * A chart is plain data, so that it can be tested without a browser:
 * { kind: "bars" | "lines" | "rows", stacked, unit, highest, format, tick, labels, series: [{ name, colour, values }], summary,
 *   columns, rows, raw }
 * A series of lines may have `ranges`, [low, high] or null, in place of values: drawn as bars from here to there.
 * `rows` as a kind are bars that lie, for labels that are words; `highest` is where the axis of values ends, if that is known;
 * `format` writes a value, `tick` a mark of the axis where the bare number would not do; `colour` names a variable of
 * variables.css; `summary` says in a sentence what the picture shows; `columns` and `rows` are the same data as a table of
 * words, and `raw`, { name, columns, rows }, as numbers for other programs.
 */
export function trafficChart({ series, window, predictions }) {
  const times = series.map((point) => bucketTime(point.time, window.seconds));
  const nonCats = series.map((point) => point.total - point.cat);
  const busiest = series.reduce((most, point) => (point.total > (most?.total ?? 0) ? point : most), null);
  return {
    kind: "bars",
    stacked: true,
    unit: "predictions",
    format: count,
    labels: times,
    series: [
      { name: "cat", colour: "--cat", values: series.map((point) => point.cat) },
      { name: "not a cat", colour: "--non-cat", values: nonCats },
    ],
    summary: busiest
      ? `${counted(predictions.total, "prediction", "predictions")}; busiest at ${bucketTime(busiest.time, window.seconds)} with ${count(busiest.total)}.`
      : "No predictions.",
    columns: ["Time", "Cat", "Not a cat"],
    rows: series.map((point, index) => [times[index], count(point.cat), count(nonCats[index])]),
    raw: {
      name: `traffic-${window.name}`,
      columns: ["time", "cat", "non_cat"],
      rows: series.map((point, index) => [point.time, point.cat, nonCats[index]]),
    },
  };
}

const DAY_SECONDS = 86_400;

export function bucketTime(time, windowSeconds) {
  return clockTime(time, { precision: windowSeconds < DAY_SECONDS ? "minute" : "day and minute" });
}
