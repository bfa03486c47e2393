import { clockTime, count, percent } from "./format.js";

/**
 * The drift part of a report in words. Without labels it can only be about the photos (data drift) and the answers
 * (prediction drift); whether the answers became worse it cannot say.
 */

export const STATUS_WORDS = {
  insufficient_data: "Insufficient data",
  ok: "No drift",
  warning: "Warning",
  drift: "Drift",
};

const FEATURES = {
  cat_probability: "Cat probability",
  brightness: "Brightness",
  contrast: "Contrast",
  saturation: "Saturation",
  colour_balance: "Colour balance",
  sharpness: "Sharpness",
  hidden_norm: "Last hidden layer",
  aspect_ratio: "Aspect ratio",
  megapixels: "Megapixels",
  format: "Format",
};

export function featureName(name) {
  return FEATURES[name] ?? name.replaceAll("_", " ");
}

/** What drifts: the answers, or what goes into them. */
export function featureKind(name) {
  return name === "cat_probability" ? "prediction" : "data";
}

export function driftSentence(drift) {
  if (drift.features.length === 0) return "This model came without a reference to compare with.";
  const names = drift.features.filter(({ status }) => status === "drift" || status === "warning").map(({ name }) => featureName(name).toLowerCase());
  const different = names.length === drift.features.length ? "every feature" : new Intl.ListFormat("en").format(names);
  switch (drift.status) {
    case "insufficient_data":
      return `${count(drift.window_size)} of the ${count(drift.minimum)} photos that a verdict needs.`;
    case "warning":
      return `Looks different from the reference: ${different}. A second time in a row makes it drift.`;
    case "drift":
      return `Different from the reference, twice in a row: ${different}.`;
    default:
      return `${count(drift.window_size)} photos look like those the model was tested with. Without any drift, ${percent(drift.false_alarm_rate)} of windows would be called different by chance.`;
  }
}

/** What the photos and answers are compared with. */
export function referenceSentence({ source, start, end, events }) {
  if (source === "manifest") return "Compared with the pictures that the model was tested with.";
  const [from, to] = [start, end].map((time) => clockTime(time, { precision: "day and minute" }));
  return `Compared with ${count(events)} predictions from ${from} to ${to}, which the operator made the reference.`;
}
