import { percent } from "./format.js";
import { verdictOf } from "./prediction-words.js";
import { problemWords } from "./problem-words.js";

const ANSWERS = { cat: "A cat", "non-cat": "Not a cat", unsure: "Not sure" };

/** A prediction in the two or three words that fit on a card. */
export function answerWords(prediction) {
  const verdict = verdictOf(prediction);
  return { verdict, words: ANSWERS[verdict], detail: `${percent(prediction.cat_probability)} for a cat` };
}

/**
 * What became of a photo, for its card.
 * Returns: { verdict, words, detail }; verdict as predictionWords() has it, "failed", or "" while there is none.
 */
export function photoWords({ kind, progress, prediction, problem, retryAt }) {
  switch (kind) {
    case "answered":
      return answerWords(prediction);
    case "failed":
      if (retryAt !== null) return { verdict: "", words: "Waiting to try again", detail: "" };
      return { verdict: "failed", words: problemWords(problem).title, detail: "" };
    case "asking":
      return { verdict: "", words: progress === null || progress === 1 ? "Looking…" : `Sending, ${Math.floor(progress * 100)}${"\u202f"}%`, detail: "" };
    case "cancelled":
      return { verdict: "", words: "Cancelled", detail: "" };
    default:
      return { verdict: "", words: "Waiting", detail: "" };
  }
}

/** All photos together, in a sentence or two. */
export function trayWords(photos) {
  const answered = photos.filter(({ state }) => state.kind === "answered").map(({ state }) => verdictOf(state.prediction));
  const failed = photos.filter(({ state }) => state.kind === "failed" && state.retryAt === null).length;
  const found = [
    [answered.filter((verdict) => verdict === "cat").length, "with a cat"],
    [answered.filter((verdict) => verdict === "non-cat").length, "without"],
    [answered.filter((verdict) => verdict === "unsure").length, "not sure"],
  ];
  const parts = found.filter(([number]) => number > 0).map(([number, words]) => `${number} ${words}`);
  const sentence = `${answered.length} of ${photos.length} answered${parts.length > 0 ? `: ${parts.join(", ")}` : ""}.`;
  return failed > 0 ? `${sentence} ${failed} could not be answered.` : sentence;
}
