import { count, percent, wholePercent } from "../lib/format.js";

/**
 * How sure the model was, against how often people said that it was right: as the interval that the replies allow, since three of
 * them say little. The shape of a chart: see traffic.js.
 */
export function calibrationChart({ confidence, quality, window }) {
  const { bin_edges: edges } = confidence;
  const { calibration: bins, calibration_error: error, count: said } = quality.feedback;
  const ranges = bins.map((_, bin) => `${Math.round(edges[bin] * 100)}–${wholePercent(edges[bin + 1])}`);
  return {
    kind: "lines",
    stacked: false,
    unit: "share",
    highest: 1,
    format: percent,
    tick: wholePercent,
    labels: ranges,
    series: [
      { name: "how sure it was", colour: "--ink", values: bins.map((bin) => bin.confidence) },
      { name: "how often right (95 %)", colour: "--measure-high", ranges: bins.map(({ low, high }) => (low === null ? null : [low, high])) },
    ],
    summary: said > 0 ? `From ${count(said)} replies; on average ${percent(error)} apart.` : "Nobody has said yet whether an answer was right.",
    columns: ["Confidence", "Replies", "How sure", "How often right", "At least", "At most"],
    rows: bins.map((bin, index) => [ranges[index], count(bin.count), percent(bin.confidence), percent(bin.accuracy), percent(bin.low), percent(bin.high)]),
    raw: {
      name: `calibration-${window.name}`,
      columns: ["confidence_from", "confidence_to", "replies", "confidence", "accuracy", "low", "high"],
      rows: bins.map((bin, index) => [edges[index], edges[index + 1], bin.count, bin.confidence, bin.accuracy, bin.low, bin.high]),
    },
  };
}
