/** The training of a model as <training-curves> shows it. */
import { count, decimal, percent } from "./format.js";
import { points, trainingHistory } from "./training-history.js";

const COLUMNS = ["step", "images", "loss", "validation_loss", "validation_balanced_accuracy", "validation_roc_auc"];
const MOST_ROWS = 500; // of a table; a validation comes every few hundred steps

/** `text`: history.csv or null. Returns: { sentence, plots: [{ title, plot }], data }, data null where there is none. */
export function trainingView(text, manifest) {
  const history = text === null ? [] : trainingHistory(text);
  const seen = manifest.data?.training_images;
  const about = seen ? `The network learned from ${count(seen)} pictures.` : "";
  if (history.length < 2) {
    return { sentence: `${about} Its history is not among the files of this model, so there is no curve to draw.`.trim(), plots: [], data: null };
  }
  const last = history.at(-1);
  return {
    sentence: `${about} It looked at ${count(last.images)} altogether, the same ones again and again, each time a little changed. After every few hundred steps it was asked about pictures that it never learned from (validation).`.trim(),
    plots: [
      { title: "Loss: how wrong it is, lower is better", plot: lossPlot(history) },
      { title: "On pictures it never learned from", plot: qualityPlot(history) },
    ],
    data: {
      columns: ["Step", "Pictures", "Loss", "Loss in validation", "Balanced accuracy", "ROC AUC"],
      rows: history.slice(-MOST_ROWS).map((row) => [
        count(row.step),
        count(row.images),
        decimal(row.loss),
        decimal(row.validation_loss),
        percent(row.validation_balanced_accuracy),
        decimal(row.validation_roc_auc),
      ]),
      raw: { name: "training", columns: COLUMNS, rows: history.map((row) => COLUMNS.map((column) => row[column])) },
    },
  };
}

function lossPlot(history) {
  const series = [
    { name: "while learning", colour: "measure", points: points(history, "loss") },
    { name: "in validation", colour: "measure-high", points: points(history, "validation_loss") },
  ];
  const best = Math.min(...series[1].points.map(([, value]) => value));
  return {
    summary: `Loss over the pictures seen. In validation it falls to ${decimal(best)}.`,
    x: pictureAxis(history),
    y: axis(0, Math.max(...series.flatMap((one) => one.points.map(([, value]) => value))), (value) => decimal(value, 2)),
    series,
  };
}

function qualityPlot(history) {
  const series = [
    { name: "balanced accuracy", colour: "cat", points: points(history, "validation_balanced_accuracy") },
    { name: "ROC AUC", colour: "measure", points: points(history, "validation_roc_auc") },
  ];
  const best = Math.max(...series[0].points.map(([, value]) => value));
  return {
    summary: `Balanced accuracy and ROC AUC over the pictures seen. The accuracy rises to ${percent(best)}; a coin would have 50 %.`,
    x: pictureAxis(history),
    y: axis(0.5, 1, percent),
    series,
  };
}

function pictureAxis(history) {
  return { label: "pictures looked at", ...axis(0, history.at(-1).images, count) };
}

function axis(minimum, maximum, text) {
  const top = maximum > minimum ? maximum : minimum + 1;
  return { minimum, maximum: top, ticks: [minimum, (minimum + top) / 2, top].map((value) => ({ value, text: text(value) })) };
}
