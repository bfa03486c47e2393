import { problemWords } from "./problem-words.js";

/** The ways to explain, in the order of what they cost; the words say what each one asks. */
export const METHODS = [
  { name: "gradient", title: "Gradient", words: "Which pixels would change the answer most." },
  { name: "smoothgrad", title: "SmoothGrad", words: "The gradient, averaged over noisy copies of the photo." },
  { name: "integrated_gradients", title: "Integrated gradients", words: "What each pixel adds on the way from a plain picture to this one." },
  { name: "occlusion", title: "Occlusion", words: "What changes when a part of the photo is covered." },
];

const ROWS = ["top", "middle", "bottom"];
const COLUMNS = ["left", "centre", "right"];

/**
 * Where a heatmap is strongest, in a sentence: for those who cannot see it.
 * `heatmap` is square, from -1 (against a cat) to 1 (for one).
 */
export function heatmapSentence(heatmap) {
  const forCat = strongestPart(heatmap, 1);
  const against = strongestPart(heatmap, -1);
  if (!forCat && !against) return "This way no part of the picture stands out. Another way may show more.";
  const sentences = [];
  if (forCat) sentences.push(`What speaks most for a cat is at the ${forCat}.`);
  if (against) sentences.push(`What speaks most against one is at the ${against}.`);
  return sentences.join(" ");
}

/** The ninth of the picture that holds most of one sign; null if there is none of it. */
function strongestPart(heatmap, sign) {
  const sums = Array(9).fill(0);
  heatmap.forEach((row, y) =>
    row.forEach((value, x) => {
      const part = 3 * Math.floor((3 * y) / heatmap.length) + Math.floor((3 * x) / row.length);
      sums[part] += Math.max(sign * value, 0);
    }),
  );
  const strongest = sums.indexOf(Math.max(...sums));
  if (sums[strongest] === 0) return null;
  return strongest === 4 ? "centre" : `${ROWS[Math.floor(strongest / 3)]} ${COLUMNS[strongest % 3]}`;
}

/** Why there is no heatmap. Returns: { words, retry } */
export function explanationProblemWords(problem) {
  if (problem.reason === 404 || problem.reason === 405) return { words: "This service cannot show where it looked.", retry: false };
  if (problem.reason === 429) return { words: "Explaining takes many times the work of an answer, and others are waiting for theirs. Try again in a moment.", retry: true };
  const { title, retry } = problemWords(problem);
  return { words: `${title}.`, retry };
}
