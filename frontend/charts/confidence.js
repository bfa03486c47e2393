import { count, percent, wholePercent } from "../lib/format.js";

/** How sure the model was: predictions per range of confidence, by what they said. The shape of a chart: see traffic.js. */
export function confidenceChart({ confidence, window }) {
  const { bin_edges: edges, counts, by_label: byLabel, mean } = confidence;
  const ranges = counts.map((_, bin) => `${Math.round(edges[bin] * 100)}–${wholePercent(edges[bin + 1])}`);
  const parts = [
    { name: "said cat", column: "cat", colour: "--cat", values: byLabel.cat },
    { name: "said not a cat", column: "non_cat", colour: "--non-cat", values: byLabel["non-cat"] },
  ];
  // What was counted before the monitor split its counts.
  const unsplit = counts.map((total, bin) => total - byLabel.cat[bin] - byLabel["non-cat"][bin]);
  if (unsplit.some((value) => value > 0)) parts.push({ name: "not known", column: "not_known", colour: "--line-strong", values: unsplit });
  return {
    kind: "bars",
    stacked: true,
    unit: "predictions",
    format: count,
    labels: ranges,
    series: parts.map(({ name, colour, values }) => ({ name, colour, values })),
    summary: mean === null ? "No predictions." : `On average the model gave its answer a probability of ${percent(mean)}.`,
    columns: ["Confidence", ...parts.map(({ name }) => name[0].toUpperCase() + name.slice(1))],
    rows: counts.map((_, bin) => [ranges[bin], ...parts.map(({ values }) => count(values[bin]))]),
    raw: {
      name: `confidence-${window.name}`,
      columns: ["confidence_from", "confidence_to", ...parts.map(({ column }) => column)],
      rows: counts.map((_, bin) => [edges[bin], edges[bin + 1], ...parts.map(({ values }) => values[bin])]),
    },
  };
}
