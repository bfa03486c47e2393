import { percent } from "./format.js";

/**
 * A prediction in words.
 *
 * `verdict` is "cat", "non-cat" or "unsure": the label alone would hide that the model does not stand by it.
 * Returns: { verdict, headline, sentence }
 */
export function predictionWords({ label, cat_probability: catProbability, certain }) {
  const probability = percent(catProbability);
  if (!certain) {
    const leaning = label === "cat" ? "It leans towards a cat" : "It leans towards no cat";
    return {
      verdict: "unsure",
      headline: "Not sure.",
      sentence: `${leaning}, but a probability of ${probability} for a cat is too close to call for this model.`,
    };
  }
  if (label === "cat") {
    return { verdict: "cat", headline: "Yes, a cat.", sentence: `The model gives a cat a probability of ${probability}.` };
  }
  return { verdict: "non-cat", headline: "No, not a cat.", sentence: `The model gives a cat a probability of only ${probability}.` };
}
