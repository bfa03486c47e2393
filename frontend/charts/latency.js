import { milliseconds } from "../lib/format.js";
import { bucketTime } from "./traffic.js";

/** P50 and P95 of the service's own time per prediction, over time. The shape of a chart: see traffic.js. */
export function latencyChart({ series, window, latency_ms: latency }) {
  const times = series.map((point) => bucketTime(point.time, window.seconds));
  return {
    kind: "lines",
    stacked: false,
    unit: "milliseconds",
    format: milliseconds,
    labels: times,
    series: [
      { name: "P50", colour: "--measure", values: series.map((point) => point.p50_ms) },
      { name: "P95", colour: "--measure-high", values: series.map((point) => point.p95_ms) },
    ],
    summary: latency.count
      ? `Half within ${milliseconds(latency.p50)}, 95 of 100 within ${milliseconds(latency.p95)}.`
      : "No predictions.",
    columns: ["Time", "P50", "P95"],
    rows: series.map((point, index) => [times[index], milliseconds(point.p50_ms), milliseconds(point.p95_ms)]),
    raw: {
      name: `latency-${window.name}`,
      columns: ["time", "p50_ms", "p95_ms"],
      rows: series.map((point) => [point.time, point.p50_ms, point.p95_ms]),
    },
  };
}
