import { fetchModelText } from "./api/model-files.js";
import { fetchModels } from "./api/models.js";
import { Problem } from "./api/problem.js";
import "./components/answer-path/answer-path.js";
import "./components/failure-explorer/failure-explorer.js";
import "./components/model-card/model-card.js";
import "./components/model-picker/model-picker.js";
import "./components/network-stages/network-stages.js";
import "./components/page-contents/page-contents.js";
import "./components/photo-choice/photo-choice.js";
import "./components/reliability-diagram/reliability-diagram.js";
import "./components/training-curves/training-curves.js";
import { answerPath } from "./lib/answer-path.js";
import { drawnCat } from "./lib/drawn-cat.js";
import { milliseconds } from "./lib/format.js";
import { addressWith } from "./lib/address.js";
import { modelChoices, modelFromAddress, modelNamed, servedModel } from "./lib/model-choice.js";
import { stages, stageWords } from "./lib/network-stages.js";
import { predictionWords } from "./lib/prediction-words.js";
import { problemWords } from "./lib/problem-words.js";
import { reliabilityView } from "./lib/reliability-view.js";
import { trainingView } from "./lib/training-view.js";
import { LocalModel } from "./network/local-model.js";

const SHOWN_CONTRIBUTIONS = 5;
const SHORTEST_WAIT_SECONDS = 3;
const LONGEST_WAIT_SECONDS = 60;

const photoChoice = document.querySelector("photo-choice");
const modelPicker = document.querySelector("model-picker");
const networkStages = document.querySelector("network-stages");
const answer = document.querySelector("answer-path");
const explorer = document.querySelector("failure-explorer");
let model = null;
let photo = null;
let turn = 0; // what belongs to an earlier one is dropped
let setbacks = 0; // in a row, of fetching a model
let waiting = null; // the timer of the next try

/** Fetch the model that the address names and look at the photo with it. */
function openModel() {
  photoChoice.state = { kind: "working", words: "Loading the model: about two megabytes, once." };
  return fetchAndLook();
}

async function fetchAndLook() {
  const mine = ++turn;
  clearTimeout(waiting);
  try {
    const served = await chosenModel();
    const loaded = await LocalModel.load(served);
    if (mine !== turn) return loaded.close();
    setbacks = 0;
    model?.close();
    model = loaded;
    showBackground(served);
    await look(photo ?? (await drawnCat()));
  } catch (error) {
    if (mine === turn) failToFetch(error);
  }
}

/** Say why there is no model, and try again later, quietly: what is said stays until there is something else to say. */
function failToFetch(error) {
  const state = modelFailure(error);
  photoChoice.state = state;
  if (!state.retry) return;
  const seconds = Math.min(SHORTEST_WAIT_SECONDS * 2 ** setbacks, LONGEST_WAIT_SECONDS);
  setbacks += 1;
  waiting = setTimeout(fetchAndLook, seconds * 1000);
}

async function chosenModel() {
  const models = await fetchModels();
  modelPicker.choices = modelChoices(models);
  const id = servedModel(modelFromAddress(location.search), modelChoices(models));
  modelPicker.value = id;
  return modelNamed(models, id);
}

/** Show what the model makes of a photo; what cannot be read leaves everything as it was. */
async function look(chosen) {
  const mine = ++turn;
  photoChoice.state = { kind: "working", words: "Looking…" };
  try {
    const { pixels } = await model.read(chosen);
    const traced = await model.trace(pixels);
    if (mine !== turn) return;
    photo = chosen;
    show({ pixels, traced });
  } catch (error) {
    if (photo === chosen) photo = null; // chosen before there was a model to read it
    if (mine === turn) photoChoice.state = photoFailure(error);
  }
}

/** A photo that is chosen before the model is there is looked at once it is. */
function choose(chosen) {
  if (model) look(chosen);
  else photo = chosen;
}

function show({ pixels, traced }) {
  const { headline, sentence } = predictionWords(traced);
  const { architecture, temperature } = model.manifest;
  photoChoice.dataset.catProbability = traced.cat_probability;
  photoChoice.state = { kind: "shown", name: photo.name, pixels, words: `${headline} ${sentence} It took ${milliseconds(traced.elapsedMilliseconds)} in this page.` };
  networkStages.stages = stages(architecture).map(({ layer, output, like }, index, all) => {
    const { shape, values } = traced.activations[output];
    const before = traced.activations[index === 0 ? 0 : all[index - 1].output].shape;
    return { ...stageWords({ layer, number: index + 1, like, before, after: shape }), shape, values };
  });
  const features = traced.activations.at(-2).values;
  answer.path = {
    ...answerPath({ features, weight: traced.weight, bias: traced.bias, temperature, shown: SHOWN_CONTRIBUTIONS }),
    cat_probability: traced.cat_probability,
  };
  const current = model;
  explorer.subject = { pixels, ask: (...question) => current.corrupt(...question) };
}

/** What belongs to the model and to no photo: its training, its reliability, its card. */
async function showBackground(served) {
  const { manifest } = model;
  document.querySelector("reliability-diagram").reliability = reliabilityView(manifest);
  const texts = await Promise.allSettled(["history.csv", "README.md"].map((file) => fetchModelText(served, file)));
  if (model.manifest !== manifest) return; // another was chosen meanwhile
  const [history, card] = texts.map(({ value = null }) => value);
  document.querySelector("training-curves").training = trainingView(history, manifest);
  document.querySelector("model-card").text = card;
}

function modelFailure(error) {
  if (error instanceof Problem) {
    const { title, retry } = problemWords(error);
    return { kind: "failed", words: `${title}. ${retry ? "The model comes from there: it is asked for again by itself." : "Choose another model, or reload the page."}`, retry };
  }
  if (error.name === "DamagedModel") return { kind: "failed", words: "The model did not arrive whole. It is asked for again by itself.", retry: true };
  throw error;
}

function photoFailure(error) {
  if (error.name !== "UnreadablePhoto") throw error;
  return { kind: "failed", words: "This browser cannot read that file as a picture. HEIC and TIFF can be read by the service: ask the classifier." };
}

photoChoice.addEventListener("photo-chosen", ({ detail }) => choose(detail.photo));
photoChoice.addEventListener("drawing-wanted", async () => choose(await drawnCat()));
photoChoice.addEventListener("retry", openModel);
modelPicker.addEventListener("model-chosen", ({ detail }) => {
  history.pushState(null, "", addressWith(location, { model: detail.id }));
  openModel();
});
window.addEventListener("popstate", openModel);
window.addEventListener("online", () => model ?? openModel());
openModel();
