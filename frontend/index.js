import { giveFeedback } from "./api/feedback.js";
import { predict } from "./api/predict.js";
import { Problem } from "./api/problem.js";
import "./components/photo-drop/photo-drop.js";
import "./components/prediction-result/prediction-result.js";

const AUTOMATIC_RETRIES = 3;
const LONGEST_COUNTDOWN_SECONDS = 60;

const photoDrop = document.querySelector("photo-drop");
const result = document.querySelector("prediction-result");
let asking = new AbortController();
let retriesLeft = AUTOMATIC_RETRIES;
let offline = false; // the last question failed for want of a connection

async function classify(photo) {
  asking.abort(); // a newer photo replaces the older question
  asking = new AbortController();
  const { signal } = asking;
  offline = false;
  result.state = { kind: "asking" };
  const started = performance.now();
  try {
    const prediction = await predict(photo, { signal });
    result.state = { kind: "answered", prediction, elapsedMilliseconds: performance.now() - started };
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Problem)) throw error;
    offline = error.reason === "network";
    result.state = { kind: "failed", problem: error, retrySeconds: retrySeconds(error) };
  }
}

/** When to ask again unasked: as the service said, but neither without end nor so late that nobody is there any more. */
function retrySeconds({ retryAfterSeconds }) {
  if (!retryAfterSeconds || retryAfterSeconds > LONGEST_COUNTDOWN_SECONDS || retriesLeft === 0) return null;
  return retryAfterSeconds;
}

async function tellTruth(question, { predictionId, label }) {
  question.state = { kind: "sending", label };
  try {
    await giveFeedback({ predictionId, label });
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
result.addEventListener("feedback", ({ target, detail }) => tellTruth(target, detail));
result.addEventListener("choose-another", () => photoDrop.choose());
window.addEventListener("online", () => {
  if (offline) classify(photoDrop.photo);
});
