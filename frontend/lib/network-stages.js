/**
 * The layers of a network in stages that can be shown and told: each ends where something new can be seen.
 *
 * A stage begins with a layer that learns or pools and takes along what only shapes its numbers (normalisation, rectifier).
 * Returns: [{ layer, output }], `output` being the place of the stage's result among the activations, which begin with the input.
 */
import { count } from "./format.js";

const SHAPING = new Set(["BatchNorm", "ReLU", "SiLU"]);
const UNSEEN = new Set(["Dropout", "Flatten"]); // change nothing that can be shown

export function stages(architecture) {
  const found = [];
  architecture.slice(0, -1).forEach((layer, index) => {
    if (UNSEEN.has(layer.type)) return;
    if (!SHAPING.has(layer.type)) found.push({ layer, output: index + 1 });
    else if (found.length > 0) found.at(-1).output = index + 1;
  });
  return found;
}

/** Returns: { title, words } of a stage, from its layer and the shapes that go in and come out. */
export function stageWords({ layer, number, before, after }) {
  const shape = (array) => (array.length === 3 ? `${count(array[2])} maps of ${array[0]} × ${array[1]}` : `${count(array[0])} numbers`);
  return { title: `Stage ${number}: ${shape(after)}`, words: (WORDS[layer.type] ?? (() => ""))({ layer, number, before, after }) };
}

const WORDS = {
  Conv2D({ layer: { kernel, out_channels: maps, stride }, number, before }) {
    const looks =
      number === 1
        ? `${count(maps)} small filters of ${kernel} × ${kernel} pixels slide over the picture. Each was learned, and each makes one map: bright where its pattern is, such as an edge in one direction or a patch of one colour.`
        : `${count(maps)} filters slide over all ${count(before[2])} maps before at once, ${kernel} × ${kernel} places at a time. Each looks for a combination of what those found: edges make corners, corners make textures and shapes.`;
    return stride > 1 ? `${looks} Only every ${ORDINALS[stride] ?? `${stride}th`} place is looked at, so the maps get smaller and each dot stands for more of the picture.` : looks;
  },
  Residual({ layer: { body } }) {
    const rounds = body.filter(({ type }) => type === "Conv2D").length;
    return `${rounds === 1 ? "Another round" : `${rounds} more rounds`} of filters, whose findings are added to the maps that came in, instead of replacing them. What was found already is kept, and refined with more of its surroundings.`;
  },
  GlobalAveragePool: ({ before }) =>
    `Each map is reduced to one number, its mean: how much of its pattern there is, wherever in the ${before[0]} × ${before[1]} places it was. From here on it does not matter where the cat sits.`,
  MaxPool2D: ({ layer: { size } }) => `Of each ${size} × ${size} places only the strongest is kept, so the maps get smaller.`,
  AveragePool2D: ({ layer: { size } }) => `Each ${size} × ${size} places become one, their mean, so the maps get smaller.`,
  Linear: ({ before, after }) =>
    `${count(after[0])} numbers, each a weighted sum of all ${count(before.reduce((product, size) => product * size, 1))} before. Where in the picture something is matters as much as what it is, which makes such a layer easy to mislead.`,
};
const ORDINALS = { 2: "second", 3: "third" };
