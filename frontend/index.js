import { service } from "./answerers/service.js";
import { fetchModels } from "./api/models.js";
import { Problem } from "./api/problem.js";
import "./components/explanation-view/explanation-view.js";
import "./components/model-picker/model-picker.js";
import "./components/photo-drop/photo-drop.js";
import "./components/prediction-result/prediction-result.js";
import { addressWithModel, modelChoices, modelFromAddress, servedModel } from "./lib/model-choice.js";

const AUTOMATIC_RETRIES = 3;
const LONGEST_COUNTDOWN_SECONDS = 60;

const photoDrop = document.querySelector("photo-drop");
const result = document.querySelector("prediction-result");
const explanation = document.querySelector("explanation-view");
const modelPicker = document.querySelector("model-picker");
const choices = servedChoices();
const answerer = service; // who looks at the photos
let asking = new AbortController();
let explaining = new AbortController();
let retriesLeft = AUTOMATIC_RETRIES;
let namedModel = modelFromAddress(location.search);
let offline = false; // the last question failed for want of a connection

async function classify(photo) {
  asking.abort(); // a newer photo replaces the older question
  explaining.abort();
  asking = new AbortController();
  const { signal } = asking;
  offline = false;
  result.state = { kind: "asking" };
  explanation.state = { kind: "none" };
  const started = performance.now();
  try {
    const model = await chosenModel();
    signal.throwIfAborted();
    const prediction = await answerer.predict(photo, { model, signal });
    result.state = { kind: "answered", prediction, elapsedMilliseconds: performance.now() - started };
    explanation.state = answerer.explain ? { kind: "offered", photo } : { kind: "none" };
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Problem)) throw error;
    offline = error.reason === "network";
    result.state = { kind: "failed", problem: error, retrySeconds: retrySeconds(error) };
  }
}

/** The models to choose from; none where they are not to be had: photos are answered all the same. */
async function servedChoices() {
  try {
    return modelChoices(await fetchModels());
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return [];
  }
}

/** The model to ask, null for the default, which need not wait to be looked up. */
async function chosenModel() {
  return namedModel === null ? null : servedModel(namedModel, await choices);
}

/** When to ask again unasked: as the service said, but neither without end nor so late that nobody is there any more. */
function retrySeconds({ retryAfterSeconds }) {
  if (!retryAfterSeconds || retryAfterSeconds > LONGEST_COUNTDOWN_SECONDS || retriesLeft === 0) return null;
  return retryAfterSeconds;
}

/** The same photo, to the model that the address names now. */
async function followAddress() {
  const before = namedModel;
  namedModel = modelFromAddress(location.search);
  if (namedModel === before) return; // only a place on the page was visited
  retriesLeft = AUTOMATIC_RETRIES;
  if (photoDrop.photo) classify(photoDrop.photo);
  modelPicker.value = await chosenModel();
}

async function showReasons({ method }) {
  explaining.abort(); // another method replaces the one before
  explaining = new AbortController();
  const { signal } = explaining;
  explanation.state = { kind: "asking" };
  try {
    const reasons = await answerer.explain(photoDrop.photo, { model: await chosenModel(), method, signal });
    explanation.state = { kind: "shown", explanation: reasons };
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Problem)) throw error;
    explanation.state = { kind: "failed", problem: error };
  }
}

async function tellTruth(question, { predictionId, label }) {
  question.state = { kind: "sending", label };
  try {
    await answerer.giveFeedback({ predictionId, label });
    question.state = { kind: "noted", label };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    question.state = { kind: "failed", problem: error };
  }
}

photoDrop.addEventListener("photo-chosen", ({ detail }) => {
  retriesLeft = AUTOMATIC_RETRIES;
  classify(detail.photo);
});
result.addEventListener("retry", ({ detail }) => {
  retriesLeft = detail.automatic ? retriesLeft - 1 : AUTOMATIC_RETRIES;
  classify(photoDrop.photo);
});
result.addEventListener("cancel", () => {
  asking.abort();
  result.state = { kind: "cancelled" };
});
explanation.addEventListener("explain", ({ detail }) => showReasons(detail));
result.addEventListener("feedback", ({ target, detail }) => tellTruth(target, detail));
result.addEventListener("choose-another", () => photoDrop.choose());
modelPicker.addEventListener("model-chosen", ({ detail }) => {
  history.pushState(null, "", addressWithModel(location, detail.id));
  followAddress();
});
window.addEventListener("popstate", followAddress);
window.addEventListener("online", () => {
  if (offline) classify(photoDrop.photo);
});
modelPicker.choices = await choices;
modelPicker.value = await chosenModel();
