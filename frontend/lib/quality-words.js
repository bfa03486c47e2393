import { count, counted, percent } from "./format.js";

/** A share with the interval that holds the true one: "81.3 % to 90.2 %"; null where the report has none. */
export function intervalWords({ low, high }) {
  return typeof low === "number" && typeof high === "number" ? `between ${percent(low)} and ${percent(high)}, with 95${"\u202f"}% confidence` : null;
}

/** What the estimate is worth. `reliable` is null or absent where nobody can tell. */
export function estimateSentence({ value, reliable }) {
  if (value === null) return "No predictions to estimate it from.";
  const how = "What the model expects of itself, from how sure it was.";
  if (reliable === false) return `${how} The photos have drifted, so it may well be wrong.`;
  return `${how} It holds while the photos are like those it was tested with.`;
}

/** What people said, in a sentence. */
export function feedbackSentence({ count: said }) {
  if (said === 0) return "Nobody has said yet whether an answer was right.";
  return `From ${counted(said, "reply", "replies")} to “Was this right?”; who replies is not a fair sample.`;
}

/** How often the model that only looks on would have said something else. */
export function shadowSentence({ model, compared, disagreements }) {
  return `${model} looked at ${count(compared)} of the same photos, and would have said something else about ${count(disagreements)} of them.`;
}
