import { serviceAnswerer } from "./answerers/service.js";
import { switchedAnswerer } from "./answerers/switched.js";
import { fetchModels } from "./api/models.js";
import { Problem } from "./api/problem.js";
import "./components/answer-history/answer-history.js";
import "./components/explanation-view/explanation-view.js";
import "./components/model-picker/model-picker.js";
import "./components/photo-drop/photo-drop.js";
import "./components/photo-pager/photo-pager.js";
import "./components/photo-tray/photo-tray.js";
import "./components/prediction-result/prediction-result.js";
import { addressWith } from "./lib/address.js";
import { DEVICE_WORDS } from "./lib/device-words.js";
import { modelChoices, modelFromAddress, servedModel } from "./lib/model-choice.js";
import { Preference, browserStorage } from "./lib/preferences.js";
import { forgetCopies, keepPage } from "./offline/copies.js";
import { AnswerHistory } from "./photos/answer-history.js";
import { PhotoQueue } from "./photos/photo-queue.js";
import { tooManyWords } from "./photos/photos-from-transfer.js";
import { Thumbnails, asDataUrl } from "./photos/thumbnails.js";

const MOST_PHOTOS = 500;

const classifier = document.querySelector(".classifier");
const photoDrop = document.querySelector("photo-drop");
const result = document.querySelector("prediction-result");
const explanation = document.querySelector("explanation-view");
const pager = document.querySelector("photo-pager");
const tray = document.querySelector("photo-tray");
const modelPicker = document.querySelector("model-picker");
const earlier = document.querySelector("answer-history");

const shrinks = new Preference("shrinks", true);
const remembers = new Preference("remembers", true);
const onDevice = new Preference("on-device", false);
const answerer = switchedAnswerer({
  onDevice,
  service: serviceAnswerer({ shrinks }),
  loadDevice: async () => (await imported("./answerers/device.js")).deviceAnswerer(),
}); // who looks at the photos
const queue = new PhotoQueue(async (file, options) => answerer.predict(file, { ...options, model: await chosenModel() }));
const thumbnails = new Thumbnails();
const answers = new AnswerHistory(browserStorage());
const replies = new Map(); // from a prediction's id to what the photo really showed
const choices = servedChoices();
let namedModel = modelFromAddress(location.search);
let opened = null; // the photo that was chosen among several
let shown = null; // the photo in the large view
let explaining = new AbortController();
let copying = Promise.resolve(); // one after the other, however often the switch is moved

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

/** One photo is shown large, several on cards, one of which may be opened. */
function showPhotos() {
  const { photos } = queue;
  const several = photos.length > 1;
  const photo = several ? opened : (photos[0] ?? null);
  classifier.dataset.view = several && !photo ? "tray" : "photo";
  tray.hidden = !several || photo !== null;
  tray.photos = photos;
  pager.place = several && photo ? { index: photos.indexOf(photo), count: photos.length } : null;
  photoDrop.photo = photo?.file ?? null;
  photoDrop.call = several ? "Add photos" : photo ? "Choose another" : "Choose a photo";
  if (photo === shown) return;
  shown = photo;
  showAnswer();
}

function showAnswer() {
  explaining.abort();
  const state = shown?.state ?? { kind: "empty" };
  result.state = state.kind === "answered" ? { ...state, reply: replies.get(state.prediction.prediction_id) } : state;
  explanation.state = answerer.explain ? explanationState(state) : { kind: "none" };
}

function explanationState({ kind }) {
  if (kind === "answered") return { kind: "offered", photo: shown.file };
  return { kind: kind === "waiting" || kind === "asking" ? "awaited" : "none" };
}

function take(photos) {
  if (queue.photos.length === 1 && photos.length === 1) queue.remove(queue.photos); // a newer photo replaces the one before
  const room = MOST_PHOTOS - queue.photos.length;
  if (photos.length > room) photoDrop.notice = tooManyWords(MOST_PHOTOS);
  closePhoto();
  queue.add(photos.slice(0, room));
}

/** Open one of several, as a place that the browser's own way back leaves again. */
function openPhoto(photo) {
  history.pushState(null, "", `#photo-${photo.id}`);
  opened = photo;
  showPhotos();
  pager.scrollIntoView(); // on a phone, with the headline at the top the photo would be out of sight
  result.focusHeadline({ preventScroll: true });
}

function closePhoto() {
  if (opened) history.replaceState(null, "", location.pathname + location.search);
  opened = null;
}

function step({ by }) {
  const { photos } = queue;
  opened = photos[photos.indexOf(opened) + by];
  history.replaceState(null, "", `#photo-${opened.id}`);
  showPhotos();
}

function photoFromAddress() {
  const [, id] = location.hash.match(/^#photo-(\d+)$/) ?? [];
  return id ? queue.get(Number(id)) : null;
}

/** The photo and the model that the address names now. */
async function followAddress() {
  if (location.hash !== "#main") {
    const before = opened;
    opened = photoFromAddress();
    showPhotos();
    if (before && !opened && !tray.hidden) tray.focusOn(before);
  }
  const before = namedModel;
  namedModel = modelFromAddress(location.search);
  if (namedModel === before) return;
  queue.askAgain(queue.photos); // the same photos, of the other model
  modelPicker.value = await chosenModel();
}

async function showReasons({ method }) {
  explaining.abort(); // another method replaces the one before
  explaining = new AbortController();
  const { signal } = explaining;
  explanation.state = { kind: "asking" };
  try {
    const reasons = await answerer.explain(shown.file, { model: await chosenModel(), method, signal });
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
    replies.set(predictionId, label);
    question.state = { kind: "noted", label };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    question.state = { kind: "failed", problem: error };
  }
}

async function remember({ file, state: { prediction } }) {
  if (!remembers.value) return;
  const picture = await thumbnails.of(file);
  const thumbnail = picture && (await asDataUrl(picture));
  if (!remembers.value) return; // switched off meanwhile
  const { label, cat_probability, certain, model } = prediction;
  answers.add({ time: Date.now(), name: file.name, thumbnail, label, cat_probability, certain, model: `${model.name} ${model.version}` });
  earlier.entries = answers.entries;
}

function forget() {
  answers.clear();
  earlier.entries = answers.entries;
}

/** Keep what this page needs to open and to answer by itself, or nothing any more: whichever the switch says. */
function followDeviceSwitch() {
  classifier.toggleAttribute("data-on-device", onDevice.value);
  sayOfDevice(onDevice.value ? "waiting" : null);
  copying = copying.catch(() => {}).then(onDevice.value ? keepCopies : forgetCopies);
}

async function keepCopies() {
  try {
    const isModelKept = await answerer.prepareDevice({ model: await chosenModel() });
    const isPageKept = isModelKept && (await keepPage().then(() => true, () => false));
    sayOfDevice(isPageKept ? "kept" : "ready");
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    sayOfDevice("failed");
  }
}

function sayOfDevice(state) {
  document.getElementById("on-device-words").textContent = state && onDevice.value ? DEVICE_WORDS[state] : "";
}

/** A module that is fetched when it is wanted. Throws: Problem */
async function imported(path) {
  try {
    return await import(path);
  } catch {
    throw new Problem("network");
  }
}

function bindSwitch(id, preference, onChange = () => {}) {
  const input = document.getElementById(id);
  input.checked = preference.value;
  input.addEventListener("change", () => {
    preference.value = input.checked;
    onChange(input.checked);
  });
}

queue.addEventListener("added", showPhotos);
queue.addEventListener("removed", ({ detail }) => {
  if (detail.photos.includes(opened)) closePhoto();
  const hadFocus = tray.contains(document.activeElement);
  showPhotos();
  if (!hadFocus || !tray.hidden) return;
  if (shown) result.focusHeadline(); // of the only one that is left
  else photoDrop.focus();
});
queue.addEventListener("changed", ({ detail: { photo } }) => {
  tray.update(photo);
  if (photo === shown) showAnswer();
  if (photo.state.kind === "answered") remember(photo);
});
queue.addEventListener("progress", ({ detail: { photo } }) => {
  tray.updateProgress(photo);
  if (photo === shown) result.progress = photo.state.progress;
});

photoDrop.addEventListener("photos-chosen", ({ detail }) => take(detail.photos));
result.addEventListener("retry", () => queue.askAgain([shown]));
result.addEventListener("cancel", () => queue.cancel([shown]));
result.addEventListener("choose-another", () => photoDrop.choose());
result.addEventListener("feedback", ({ target, detail }) => tellTruth(target, detail));
explanation.addEventListener("explain", ({ detail }) => showReasons(detail));
pager.addEventListener("back", () => history.back());
pager.addEventListener("step", ({ detail }) => step(detail));
tray.thumbnail = (file) => thumbnails.of(file);
tray.addEventListener("open", ({ detail }) => openPhoto(detail.photo));
tray.addEventListener("cancel", ({ detail }) => queue.cancel(detail.photos));
tray.addEventListener("again", ({ detail }) => queue.askAgain(detail.photos));
tray.addEventListener("remove", ({ detail }) => queue.remove(detail.photos));
earlier.addEventListener("clear", () => {
  forget();
  document.getElementById("remembers").focus(); // the button that was pressed is gone
});
modelPicker.addEventListener("model-chosen", ({ detail }) => {
  history.pushState(null, "", addressWith(location, { model: detail.id }));
  followAddress();
});
window.addEventListener("popstate", followAddress);
window.addEventListener("online", () => queue.goOn());

bindSwitch("shrinks", shrinks);
bindSwitch("on-device", onDevice, () => {
  queue.askAgain(queue.photos);
  followDeviceSwitch();
});
bindSwitch("remembers", remembers, (on) => on || forget()); // who switches it off wants nothing kept
if (onDevice.value || navigator.serviceWorker?.controller) followDeviceSwitch();
document.querySelector(".settings").hidden = false;
photoDrop.takeChosen();
earlier.entries = answers.entries;
if (location.hash.startsWith("#photo-")) history.replaceState(null, "", location.pathname + location.search); // from before a reload
modelPicker.choices = await choices;
modelPicker.value = await chosenModel();
