import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../api/problem.js";
import { driftSentence, featureKind, featureName } from "../lib/drift-words.js";
import { METHODS, explanationProblemWords, heatmapSentence } from "../lib/explanation-words.js";
import { feedbackProblemWords, feedbackQuestion, feedbackThanks } from "../lib/feedback-words.js";
import { addressWith } from "../lib/address.js";
import { modelChoices, modelFromAddress, servedModel } from "../lib/model-choice.js";
import { cameraProblemWords } from "../lib/camera-words.js";
import { answerWords, photoWords, trayWords } from "../lib/photo-words.js";
import { pipelineVerdict } from "../lib/pipeline-words.js";
import { predictionWords } from "../lib/prediction-words.js";
import { connectionWords, problemWords } from "../lib/problem-words.js";
import { estimateSentence, feedbackSentence, intervalWords, shadowSentence } from "../lib/quality-words.js";
import { windowFromAddress } from "../lib/report-windows.js";

test("a certain prediction is said plainly", () => {
  assert.equal(predictionWords({ label: "cat", cat_probability: 0.96, certain: true }).headline, "Yes, a cat.");
  assert.equal(predictionWords({ label: "non-cat", cat_probability: 0.04, certain: true }).headline, "No, not a cat.");
});

test("a prediction the model does not stand by is not sure, whichever way it leans", () => {
  const cat = predictionWords({ label: "cat", cat_probability: 0.58, certain: false });
  const nonCat = predictionWords({ label: "non-cat", cat_probability: 0.42, certain: false });
  assert.deepEqual([cat.verdict, cat.headline, nonCat.verdict], ["unsure", "Not sure.", "unsure"]);
  assert.match(cat.sentence, /leans towards a cat.*58/);
  assert.match(nonCat.sentence, /leans towards no cat.*42/);
});

test("every problem of the contract has words of its own, with something to do", () => {
  const reasons = [400, 404, 413, 415, 422, 429, 502, 503, 504, "network", "timeout", "unreadable", "gone"];
  const titles = new Set(reasons.map((reason) => problemWords(new Problem(reason)).title));
  assert.equal(titles.size, reasons.length);
  for (const reason of reasons) assert.ok(problemWords(new Problem(reason)).advice.length > 20, String(reason));
});

test("only what may be answered the next time is offered to be tried again", () => {
  const again = (reason) => problemWords(new Problem(reason)).retry;
  assert.deepEqual([413, 415, 422, 404, 405].map(again), [false, false, false, false, false]);
  assert.deepEqual([429, 500, 502, 503, 504, 599, "network", "timeout"].map(again), Array(8).fill(true));
});

test("a watcher is told what is away", () => {
  assert.match(connectionWords(new Problem("network")), /connection/);
  assert.match(connectionWords(new Problem(502)), /monitor/);
});

test("a reply says what the photo shows, whatever the answer was", () => {
  for (const label of ["cat", "non-cat"]) {
    for (const certain of [true, false]) {
      const { replies } = feedbackQuestion({ label, certain });
      assert.deepEqual(replies.map((reply) => reply.label).sort(), ["cat", "non-cat"]);
      for (const reply of replies) assert.equal(/not a cat/i.test(reply.words), reply.label === "non-cat", reply.words);
      if (certain) assert.equal(replies.find(({ words }) => words.startsWith("Yes")).label, label);
    }
  }
});

test("an answer that the model does not stand by is not asked to be right", () => {
  assert.doesNotMatch(feedbackQuestion({ label: "cat", certain: false }).question, /right/);
});

test("feedback that was not taken says so, and what to do unless it is too late", () => {
  for (const reason of [429, 500, 502, 503, "network", "timeout"]) assert.match(feedbackProblemWords(new Problem(reason)), /Press again/);
  assert.match(feedbackProblemWords(new Problem(404)), /too long ago/);
  assert.notEqual(feedbackThanks({ changed: true }), feedbackThanks({ changed: false }));
});

const heatmap = (...places) => {
  const rows = Array.from({ length: 64 }, () => Array(64).fill(0));
  for (const [y, x, value] of places) rows[y][x] = value;
  return rows;
};

test("a heatmap is said by where it is strongest, each sign by itself", () => {
  assert.equal(
    heatmapSentence(heatmap([0, 63, 0.9], [63, 0, -0.4], [30, 30, 0.8])),
    "What speaks most for a cat is at the top right. What speaks most against one is at the bottom left.",
  );
  assert.equal(heatmapSentence(heatmap([31, 32, 1])), "What speaks most for a cat is at the centre.");
  assert.equal(heatmapSentence(heatmap([31, 0, -1])), "What speaks most against one is at the middle left.");
  assert.equal(heatmapSentence(heatmap()), "This way no part of the picture stands out. Another way may show more.");
});

test("a place that speaks loudest on both sides is named once, with the side that weighs more there", () => {
  const both = "It looked most at the middle left. Part of that speaks for a cat and part against one; there, ";
  assert.equal(heatmapSentence(heatmap([31, 0, 0.9], [32, 0, -0.4])), `${both}what speaks for a cat weighs more.`);
  assert.equal(heatmapSentence(heatmap([31, 0, 0.4], [32, 0, -0.9])), `${both}what speaks against a cat weighs more.`);
  assert.equal(heatmapSentence(heatmap([31, 0, 0.5], [32, 0, -0.5])), `${both}the two weigh about the same.`);
});

test("much of a little outweighs a little of much", () => {
  assert.match(heatmapSentence(heatmap([0, 0, 0.6], [0, 40, 0.4], [1, 40, 0.4])), /top centre/);
});

test("the methods are those of the contract", () => {
  assert.deepEqual(METHODS.map(({ name }) => name), ["gradient", "smoothgrad", "integrated_gradients", "occlusion"]);
});

test("a service that cannot explain says so for good, a busy one for now", () => {
  assert.deepEqual([404, 405, 415].map((reason) => explanationProblemWords(new Problem(reason)).retry), [false, false, false]);
  assert.deepEqual([429, 502, 504, "network"].map((reason) => explanationProblemWords(new Problem(reason)).retry), [true, true, true, true]);
  assert.match(explanationProblemWords(new Problem(404)).words, /cannot show/);
  assert.equal(explanationProblemWords(new Problem("network")).words, "No connection to the service.");
});

const plain = (text) => text.replaceAll("\u202f", " ");

test("an accuracy is said with its interval, and an old report without one is whole too", () => {
  assert.equal(plain(intervalWords({ low: 0.813, high: 0.902 })), "between 81.3 % and 90.2 %, with 95 % confidence");
  assert.equal(intervalWords({ low: null, high: null }), null);
  assert.equal(intervalWords({}), null);
});

test("under drift the estimate is doubted; where nobody can tell, it is not", () => {
  assert.match(estimateSentence({ value: 0.9, reliable: false }), /drifted/);
  for (const reliable of [true, null, undefined]) assert.match(estimateSentence({ value: 0.9, reliable }), /holds while/);
  assert.match(estimateSentence({ value: null }), /No predictions/);
});

test("what people said is counted in words", () => {
  assert.match(feedbackSentence({ count: 0 }), /Nobody/);
  assert.match(feedbackSentence({ count: 1 }), /1 reply /);
  assert.match(feedbackSentence({ count: 1200 }), /1,200 replies/);
});

test("the shadow model is said by how often it would have answered otherwise", () => {
  assert.match(shadowSentence({ model: "cnn/1", compared: 200, disagreements: 30 }), /^cnn\/1 looked at 200 .* about 30 of them\.$/);
});

const MODELS = [{ name: "mlp", version: "1" }, { name: "cnn", version: "1", default: true }, { name: "mlp", version: "2" }];

test("a model is chosen by its name, by its version too where there are several, the default first", () => {
  assert.deepEqual(modelChoices(MODELS).map(({ id }) => id), ["cnn", "mlp/1", "mlp/2"]);
  assert.deepEqual(modelChoices([]), []);
});

test("the address names the model, but for the default, and keeps what else it says", () => {
  assert.equal(addressWith({ pathname: "/", search: "?x=1" }, { model: "mlp/2" }), "/?x=1&model=mlp%2F2");
  assert.equal(addressWith({ pathname: "/", search: "?model=mlp" }, { model: null }), "/");
  assert.equal(addressWith({ pathname: "/", search: "", hash: "#photo-3" }, { model: "cnn" }), "/?model=cnn#photo-3");
  assert.equal(modelFromAddress("?model=mlp%2F2"), "mlp/2");
  for (const search of ["", "?model=", "?window=1h"]) assert.equal(modelFromAddress(search), null);
});

test("a model that is not served, as in an outdated link, is the default", () => {
  const choices = modelChoices(MODELS);
  assert.equal(servedModel("mlp/1", choices), "mlp/1");
  for (const id of ["cnn", "mlp", "gone", "__proto__", null]) assert.equal(servedModel(id, choices), null);
});

test("without the list of models the name in the address is taken at its word", () => {
  assert.equal(servedModel("mlp/1", []), "mlp/1");
});

const drift = (changes) => ({ status: "ok", window_size: 500, minimum: 200, false_alarm_rate: 0.01, features: [{ name: "brightness", status: "ok" }], ...changes });

test("too few photos are a state of their own, with how many are missing", () => {
  assert.equal(driftSentence(drift({ status: "insufficient_data", window_size: 57 })), "57 of the 200 photos that a verdict needs.");
});

test("drift names the features that differ, as people call them", () => {
  const features = [{ name: "colour_balance", status: "drift" }, { name: "contrast", status: "ok" }, { name: "cat_probability", status: "warning" }];
  assert.match(driftSentence(drift({ status: "drift", features })), /colour balance and cat probability/);
});

test("where everything differs the features are not listed", () => {
  const features = ["brightness", "contrast"].map((name) => ({ name, status: "warning" }));
  assert.match(driftSentence(drift({ status: "warning", features })), /different from the reference: every feature/);
});

test("a model without a reference is said to have none", () => {
  assert.match(driftSentence(drift({ features: [] })), /without a reference/);
});

test("no word claims to know about the answers' truth", () => {
  for (const status of ["insufficient_data", "ok", "warning", "drift"]) assert.doesNotMatch(driftSentence(drift({ status })), /concept/i);
  assert.deepEqual([featureKind("cat_probability"), featureKind("brightness")], ["prediction", "data"]);
});

test("a feature nobody named here is still readable", () => assert.equal(featureName("ear_length"), "ear length"));

const PIPELINE = { answered: 10, balanced: true, lag: 0, pending: 0, buffered: 0, dropped: 0, lost: 0 };

test("the pipeline says when every prediction is counted, is on its way, or is missing", () => {
  const status = (changes) => pipelineVerdict({ ...PIPELINE, ...changes }).status;
  assert.equal(status({}), "ok");
  assert.equal(status({ lag: 3 }), "waiting");
  assert.equal(status({ buffered: 1 }), "waiting");
  assert.equal(status({ dropped: 1 }), "broken");
  assert.equal(status({ lost: 1 }), "broken");
  assert.equal(status({ balanced: false }), "broken");
  assert.equal(status({ balanced: null }), "waiting");
  assert.equal(status({ balanced: null, answered: 0 }), "ok");
});

test("the address names the window, and a mistyped one shows the default", () => {
  assert.equal(windowFromAddress("?window=24h"), "24h");
  for (const search of ["", "?window=", "?window=1y", "?window=__proto__"]) assert.equal(windowFromAddress(search), "1h");
});

const CAT = { label: "cat", cat_probability: 0.974, certain: true };
const NON_CAT = { label: "non-cat", cat_probability: 0.02, certain: true };
const UNSURE = { label: "cat", cat_probability: 0.58, certain: false };

test("an answer fits on a card, and doubt is no answer", () => {
  assert.deepEqual([CAT, NON_CAT, UNSURE].map((prediction) => answerWords(prediction).words), ["A cat", "Not a cat", "Not sure"]);
  assert.equal(plain(answerWords(CAT).detail), "97.4 % for a cat");
});

test("a card says how far a photo is", () => {
  const words = (state) => plain(photoWords(state).words);
  assert.equal(words({ kind: "waiting" }), "Waiting");
  assert.equal(words({ kind: "asking", progress: 0.456 }), "Sending, 45 %");
  for (const progress of [null, 1]) assert.equal(words({ kind: "asking", progress }), "Looking…");
  assert.equal(words({ kind: "failed", problem: new Problem(415), retryAt: null }), "This is not a photo we can read");
  assert.equal(photoWords({ kind: "failed", problem: new Problem("network"), retryAt: 1 }).verdict, "", "what is tried again has not failed");
});

test("all photos are counted by their answers", () => {
  const photo = (state) => ({ state });
  const answered = (prediction) => photo({ kind: "answered", prediction });
  assert.equal(trayWords([photo({ kind: "waiting" })]), "0 of 1 answered.");
  assert.equal(
    trayWords([answered(CAT), answered(CAT), answered(NON_CAT), answered(UNSURE), photo({ kind: "failed", problem: new Problem(422), retryAt: null })]),
    "4 of 5 answered: 2 with a cat, 1 without, 1 not sure. 1 could not be answered.",
  );
});

test("what keeps the camera from working is told apart, with something to do", () => {
  const words = ["NotAllowedError", "NotFoundError", "NotReadableError", "AnyOther"].map((name) => cameraProblemWords({ name }));
  assert.equal(new Set(words).size, 4);
  for (const sentence of words) assert.match(sentence, /try again/i);
});
