import { percent } from "./format.js";

/** "cat", "non-cat" or "unsure": the label alone would hide that the model does not stand by it. */
export function verdictOf({ label, certain }) {
  return certain ? label : "unsure";
}

/** A prediction in words. Returns: { verdict, headline, sentence } */
export function predictionWords({ label, cat_probability: catProbability, certain }) {
  const probability = percent(catProbability);
  if (!certain) {
    const leaning = label === "cat" ? "a cat" : "no cat";
    return {
      verdict: "unsure",
      headline: "Not sure.",
      sentence: `It leans towards ${leaning} (${probability} for a cat), but with such a value this model is wrong too often to be sure.`,
    };
  }
  if (label === "cat") {
    return { verdict: "cat", headline: "Yes, a cat.", sentence: `The model gives a cat a probability of ${probability}.` };
  }
  return { verdict: "non-cat", headline: "No, not a cat.", sentence: `The model gives a cat a probability of only ${probability}.` };
}
