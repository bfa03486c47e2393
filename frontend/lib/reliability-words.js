import { count, decimal } from "./format.js";

/** How far apart a model's probabilities and the truth lie, from its manifest's metrics. */
export function reliabilityWords({ metrics = {} }) {
  const measured = Object.entries(metrics).filter(([, { expected_calibration_error: error }]) => typeof error === "number");
  const meaning = "Where a network says 80 %, it should be right in 8 of 10 cases.";
  if (measured.length === 0) return `${meaning} For this model that was not measured.`;
  const [name, { images, expected_calibration_error: error }] = measured.find(([name]) => name.endsWith("test")) ?? measured[0];
  return `${meaning} On the ${count(images)} pictures of ${name}, what this one says and what is true lie ${decimal(error)} apart on average (expected calibration error); on the diagonal it would be 0.`;
}
