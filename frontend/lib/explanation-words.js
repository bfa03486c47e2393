import { problemWords } from "./problem-words.js";

/** The ways to explain, in the order of what they cost; the words say what each one asks. */
export const METHODS = [
  { name: "gradient", title: "Gradient", words: "Which pixels would change the answer most." },
  { name: "smoothgrad", title: "SmoothGrad", words: "The gradient, averaged over noisy copies of the photo." },
  { name: "integrated_gradients", title: "Integrated gradients", words: "What each pixel adds on the way from a plain picture to this one." },
  { name: "occlusion", title: "Occlusion", words: "What changes when a part of the photo is covered." },
];

const PLACES = ["top left", "top centre", "top right", "middle left", "centre", "middle right", "bottom left", "bottom centre", "bottom right"];
const EVEN = 0.1; // of all that speaks in a place: a smaller surplus of one side says nothing

/**
 * Where a heatmap is strongest, in a sentence: for those who cannot see it. Where both sides are strongest in the same place, that
 * is what the network looked at, and what counts is which of them outweighs the other there.
 * `heatmap` is square, from -1 (against a cat) to 1 (for one).
 */
export function heatmapSentence(heatmap) {
  const forCat = ninths(heatmap, 1);
  const against = ninths(heatmap, -1);
  const [forPlace, againstPlace] = [strongest(forCat), strongest(against)];
  if (forPlace === null && againstPlace === null) return "This way no part of the picture stands out. Another way may show more.";
  if (forPlace === againstPlace) {
    const surplus = (forCat[forPlace] - against[forPlace]) / (forCat[forPlace] + against[forPlace]);
    const outcome = Math.abs(surplus) < EVEN ? "the two weigh about the same" : `what speaks ${surplus > 0 ? "for" : "against"} a cat weighs more`;
    return `It looked most at the ${PLACES[forPlace]}. Part of that speaks for a cat and part against one; there, ${outcome}.`;
  }
  const sentences = [];
  if (forPlace !== null) sentences.push(`What speaks most for a cat is at the ${PLACES[forPlace]}.`);
  if (againstPlace !== null) sentences.push(`What speaks most against one is at the ${PLACES[againstPlace]}.`);
  return sentences.join(" ");
}

/** How much of one sign each ninth of the picture holds, row by row. */
function ninths(heatmap, sign) {
  const sums = Array(9).fill(0);
  heatmap.forEach((row, y) =>
    row.forEach((value, x) => {
      const part = 3 * Math.floor((3 * y) / heatmap.length) + Math.floor((3 * x) / row.length);
      sums[part] += Math.max(sign * value, 0);
    }),
  );
  return sums;
}

function strongest(sums) {
  const most = Math.max(...sums);
  return most === 0 ? null : sums.indexOf(most);
}

/** Why there is no heatmap. Returns: { words, retry } */
export function explanationProblemWords(problem) {
  if (problem.reason === 404 || problem.reason === 405) return { words: "This service cannot show where it looked.", retry: false };
  if (problem.reason === 429) return { words: "Explaining takes many times the work of an answer, and others are waiting for theirs. Try again in a moment.", retry: true };
  const { title, retry } = problemWords(problem);
  return { words: `${title}.`, retry };
}
