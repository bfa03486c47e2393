/**
 * The layers of a network in stages that can be shown and told: each ends where something new can be seen.
 *
 * A stage begins with a layer that learns or pools and takes along what only shapes its numbers (normalisation, rectifier).
 * Returns: [{ layer, output, like }], `output` being the place of the stage's result among the activations, which begin with the
 * input, `like` the number of the first stage that does the same to maps, null for that one itself.
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
  return found.map((stage, index) => {
    const first = found.findIndex(({ layer }, place) => place > 0 && layer.type === stage.layer.type); // the very first sees a picture
    return { ...stage, like: first > 0 && first < index ? first + 1 : null };
  });
}

/** Returns: { title, words } of a stage, from its layer and the shapes that go in and come out; in short if it is like one told before. */
export function stageWords({ layer, number, like = null, before, after }) {
  const shape = (array) => (array.length === 3 ? `${count(array[2])} maps of ${array[0]} × ${array[1]}` : `${count(array[0])} numbers`);
  return { title: `Stage ${number}: ${shape(after)}`, words: wordsOf(layer, like)({ layer, number, like, before, after }) };
}

function wordsOf({ type }, like) {
  return (like !== null && SHORT_WORDS[type]) || (WORDS[type] ?? (() => ""));
}

const SHORT_WORDS = {
  Conv2D: ({ layer: { out_channels: maps, stride }, like, before }) =>
    `As in stage ${like}: ${count(maps)} filters over all ${count(before[2])} maps${stride > 1 ? `, at every ${ordinal(stride)} place` : ""}.`,
  Residual: ({ layer: { body }, like }) => `As in stage ${like}: ${rounds(body)} of filters, whose findings are added to the maps that came in.`,
};

const WORDS = {
  Conv2D({ layer: { kernel, out_channels: maps, stride }, number, before }) {
    const looks =
      number === 1
        ? `${count(maps)} small filters of ${kernel} × ${kernel} pixels slide over the picture. Each was learned, and each makes one map: bright where its pattern is, such as an edge in one direction or a patch of one colour.`
        : `${count(maps)} filters slide over all ${count(before[2])} maps before at once, ${kernel} × ${kernel} places at a time. Each looks for a combination of what those found: edges make corners, corners make textures and shapes.`;
    return stride > 1 ? `${looks} Only every ${ordinal(stride)} place is looked at, so the maps get smaller and each dot stands for more of the picture.` : looks;
  },
  Residual: ({ layer: { body } }) =>
    `${capital(rounds(body))} of filters, whose findings are added to the maps that came in, instead of replacing them. What was found already is kept, and refined with more of its surroundings.`,
  GlobalAveragePool: ({ before }) =>
    `Each map is reduced to one number, its mean: how much of its pattern there is, wherever in the ${before[0]} × ${before[1]} places it was. From here on it does not matter where the cat sits.`,
  MaxPool2D: ({ layer: { size } }) => `Of each ${size} × ${size} places only the strongest is kept, so the maps get smaller.`,
  AveragePool2D: ({ layer: { size } }) => `Each ${size} × ${size} places become one, their mean, so the maps get smaller.`,
  Linear: ({ before, after }) =>
    `${count(after[0])} numbers, each a weighted sum of all ${count(before.reduce((product, size) => product * size, 1))} before. Where in the picture something is matters as much as what it is, which makes such a layer easy to mislead.`,
};
const ORDINALS = { 2: "second", 3: "third" };
const NUMBERS = { 2: "two", 3: "three", 4: "four" };

function ordinal(number) {
  return ORDINALS[number] ?? `${number}th`;
}

function rounds(body) {
  const number = body.filter(({ type }) => type === "Conv2D").length;
  return number === 1 ? "another round" : `${NUMBERS[number] ?? number} more rounds`;
}

function capital(words) {
  return words[0].toUpperCase() + words.slice(1);
}
