import { milliseconds } from "../lib/format.js";

/** How long an answer took, and two of its stages. The shape of a chart: see traffic.js. */
export function percentilesChart({ window, latency_ms: latency }) {
  const measures = [
    ["decoding, P50", "decode_p50", latency.stages.decode.p50],
    ["model, P50", "forward_p50", latency.stages.forward.p50],
    ["average", "avg", latency.avg],
    ["P50", "p50", latency.p50],
    ["P95", "p95", latency.p95],
    ["P99", "p99", latency.p99],
    ["longest", "max", latency.max],
  ];
  return {
    kind: "rows",
    stacked: false,
    unit: "milliseconds",
    format: milliseconds,
    labels: measures.map(([words]) => words),
    series: [{ name: "time", colour: "--measure", values: measures.map(([, , value]) => value) }],
    summary: latency.count > 0 ? `Of 100 answers 99 took at most ${milliseconds(latency.p99)}; the longest took ${milliseconds(latency.max)}.` : "No predictions.",
    columns: ["Measure", "Time"],
    rows: measures.map(([words, , value]) => [words, milliseconds(value)]),
    raw: {
      name: `percentiles-${window.name}`,
      columns: ["measure", "milliseconds"],
      rows: measures.map(([, name, value]) => [name, value]),
    },
  };
}
