/** The "where it fails" explorer in words and numbers: what stands beside a slider, under the curve, in the live region. */
import { CORRUPTIONS } from "../network/corruptions.js";
import { percent } from "./format.js";
import { predictionWords } from "./prediction-words.js";

const NUMBER = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const PERCENT_TICKS = [0, 0.25, 0.5, 0.75, 1].map((value) => ({ value, text: `${value * 100}\u202f%` }));

/** 20 -> "20 %", "−90°"; "as it is" where nothing is done. */
export function strengthText({ unit, harmless }, strength) {
  if (strength === harmless) return "as it is";
  return `${NUMBER.format(strength).replace("-", "−")}${unit}`;
}

/** The curve as <line-plot> takes it. `curve`: Map strength -> probability, as far as it is known. */
export function curvePlot({ corruption, curve, strength, probability }) {
  const { title, minimum, maximum, unit } = corruption;
  const points = [...curve].sort(([one], [other]) => one - other);
  const middle = (minimum + maximum) / 2;
  return {
    summary: curveSentence(corruption, points),
    x: {
      label: `${title}${unit.trim() && `, in ${unit.trim() === "px" ? "pixels of the 64" : unit.trim() === "°" ? "degrees" : "percent"}`}`,
      minimum,
      maximum,
      ticks: [minimum, middle, maximum].map((value) => ({ value, text: NUMBER.format(value).replace("-", "−") })),
    },
    y: { minimum: 0, maximum: 1, ticks: PERCENT_TICKS },
    series: [{ name: title, colour: "cat", points }],
    marker: probability === null ? null : { x: strength, y: probability, text: percent(probability) },
  };
}

function curveSentence({ title, minimum, maximum }, points) {
  if (points.length === 0) return `Probability of a cat over ${title}, not there yet`;
  const probabilities = points.map(([, value]) => value);
  const [least, most] = [Math.min(...probabilities), Math.max(...probabilities)];
  const where = points.find(([, value]) => value === least)[0];
  return `Over ${title} from ${minimum} to ${maximum} the probability of a cat goes from ${percent(least)}, lowest at ${NUMBER.format(where)}, to ${percent(most)}.`;
}

/** What a screen reader says when the sliders rest. */
export function restingWords(answer, strengths) {
  const done = CORRUPTIONS.filter(({ name, harmless }) => strengths[name] !== harmless);
  const list = done.map((corruption) => `${corruption.title} ${strengthText(corruption, strengths[corruption.name])}`).join(", ");
  return `${list || "As it is"}: ${predictionWords(answer).headline} Probability of a cat ${percent(answer.cat_probability)}.`;
}
