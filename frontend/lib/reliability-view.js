/** How far a model's probabilities and the truth lie apart, as <reliability-diagram> shows it. */
import { count, decimal, percent, wholePercent } from "./format.js";

const MEANING = "Where a network says 80 %, it should be right in 8 of 10 cases.";
const SHARES = { minimum: 0, maximum: 1, ticks: [0, 0.25, 0.5, 0.75, 1].map((value) => ({ value, text: wholePercent(value) })) };
const COLOURS = ["cat", "measure"];

/**
 * From the manifest: `metrics`, and `reliability`, bins by data set: [{ weight, said, true }], all of them 0..1.
 * Returns: { sentence, plot, data }, plot and data null where there are no bins.
 */
export function reliabilityView({ metrics = {}, reliability = {} }) {
  const sets = Object.entries(reliability).sort(([one], [other]) => isTest(other) - isTest(one)); // what nothing was chosen on is first
  const sentence = reliabilitySentence(metrics);
  if (sets.length === 0) return { sentence, plot: null, data: null };
  return { sentence, plot: reliabilityPlot(sets), data: reliabilityData(sets) };
}

function reliabilitySentence(metrics) {
  const measured = Object.entries(metrics).filter(([, { expected_calibration_error: error }]) => typeof error === "number");
  if (measured.length === 0) return `${MEANING} For this model that was not measured.`;
  const [name, { images, expected_calibration_error: error }] = measured.find(([name]) => isTest(name)) ?? measured[0];
  return `${MEANING} On the ${count(images)} pictures of ${name}, what this one says and what is true lie ${decimal(error)} apart on average (expected calibration error); on the diagonal it would be 0.`;
}

function isTest(name) {
  return name.endsWith("test");
}

function reliabilityPlot(sets) {
  return {
    title: "Cats among the pictures, by how likely it said they are",
    summary: plotSentence(sets[0]),
    x: { label: "probability of a cat that it gave", ...SHARES },
    y: SHARES,
    series: [
      { name: "as it should be", colour: "reference", mark: "dashes", points: [[0, 0], [1, 1]] },
      ...sets.slice(0, COLOURS.length).map(([name, bins], index) => ({
        name,
        colour: COLOURS[index],
        mark: "dots",
        points: bins.map(({ said, true: share }) => [said, share]),
      })),
    ],
  };
}

function plotSentence([name, bins]) {
  const [first, last] = [bins[0], bins.at(-1)];
  const furthest = bins.reduce((one, other) => (distance(other) > distance(one) ? other : one));
  const words = ({ said, true: share }) => `${percent(share)} are cats where it says ${percent(said)}`;
  return `Reliability on ${name}: ${words(first)}, and ${words(last)}. Furthest from what it says: ${words(furthest)}.`;
}

function distance({ said, true: share }) {
  return Math.abs(said - share);
}

function reliabilityData(sets) {
  const bins = sets.flatMap(([name, bins]) => bins.map((bin) => ({ name, ...bin })));
  return {
    columns: ["Pictures", "It says, on average", "Are cats", "Share of all"],
    rows: bins.map(({ name, said, true: share, weight }) => [name, percent(said), percent(share), percent(weight)]),
    raw: {
      name: "reliability",
      columns: ["pictures", "said", "true", "weight"],
      rows: bins.map(({ name, said, true: share, weight }) => [name, said, share, weight]),
    },
  };
}
