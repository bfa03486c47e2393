import { count, percent } from "../lib/format.js";

/** How sure the model was: predictions per range of confidence. The shape of a chart: see traffic.js. */
export function confidenceChart({ confidence, window }) {
  const { bin_edges: edges, counts, mean } = confidence;
  const ranges = counts.map((_, bin) => `${wholePercent(edges[bin])}–${wholePercent(edges[bin + 1])} %`);
  return {
    kind: "bars",
    stacked: false,
    unit: "predictions",
    labels: ranges,
    series: [{ name: "predictions", colour: "--measure", values: counts }],
    summary: mean === null ? "No predictions." : `On average the model gave its answer a probability of ${percent(mean)}.`,
    columns: ["Confidence", "Predictions"],
    rows: counts.map((value, bin) => [ranges[bin], count(value)]),
    raw: {
      name: `confidence-${window.name}`,
      columns: ["confidence_from", "confidence_to", "predictions"],
      rows: counts.map((value, bin) => [edges[bin], edges[bin + 1], value]),
    },
  };
}

function wholePercent(fraction) {
  return Math.round(fraction * 100);
}
