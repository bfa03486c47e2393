import assert from "node:assert/strict";
import { test } from "node:test";
import { fetchModel, fetchModelText } from "../api/model-files.js";
import { answerPath } from "../lib/answer-path.js";
import { coarseToFine } from "../lib/curve-order.js";
import { curvePlot, restingWords, strengthText } from "../lib/failure-words.js";
import { markdownSections } from "../lib/markdown.js";
import { mosaic } from "../lib/mosaic.js";
import { stages, stageWords } from "../lib/network-stages.js";
import { reliabilityView } from "../lib/reliability-view.js";
import { trainingHistory } from "../lib/training-history.js";
import { trainingView } from "../lib/training-view.js";
import { CORRUPTIONS, HARMLESS } from "../network/corruptions.js";

const HISTORY = `step,images,loss,learning_rate,gradient_norm,images_per_second,validation_loss,validation_balanced_accuracy,validation_roc_auc
500,48000,0.61,0.003,1.2,220,0.55,0.71,0.79
1000,96000,0.48,0.003,0.9,221,,nan,0.85
1500,144000,0.41,0.003,0.8,219,0.36,0.86,0.93
`;
const card = (text) => markdownSections(text).map(({ heading, blocks }) => [heading, ...blocks].join("")).join("");

test("the weights are asked for by their hash and checked against it", async () => {
  const weights = new Uint8Array([1, 2, 3]);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", weights));
  const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const asked = [];
  const serving = (content) => async (url) => {
    asked.push(url);
    return url.endsWith("manifest.json") ? Response.json({ sha256 }) : new Response(content);
  };
  const model = await fetchModel({ name: "cat net", version: "1" }, { fetch: serving(weights) });
  assert.equal(model.weights.byteLength, 3);
  assert.deepEqual(asked, ["/api/models/cat%20net/1/manifest.json", `/api/models/cat%20net/1/model.safetensors?sha256=${sha256}`]);
  await assert.rejects(fetchModel({ name: "catnet", version: "1" }, { fetch: serving("other") }), { name: "DamagedModel" });
});

test("a text that a model does not have is none, and a service that is away is a problem", async () => {
  const answering = (status) => async () => new Response("text", { status });
  assert.equal(await fetchModelText({ name: "a", version: "1" }, "README.md", { fetch: answering(200) }), "text");
  assert.equal(await fetchModelText({ name: "a", version: "1" }, "README.md", { fetch: answering(404) }), null);
  await assert.rejects(fetchModelText({ name: "a", version: "1" }, "README.md", { fetch: answering(503) }), { reason: 503 });
});

test("a stage takes along what shapes its numbers, and leaves out what cannot be seen", () => {
  const types = ["Conv2D", "BatchNorm", "ReLU", "Residual", "ReLU", "GlobalAveragePool", "Dropout", "Linear"];
  const found = stages(types.map((type) => ({ type })));
  assert.deepEqual(found.map(({ layer, output }) => [layer.type, output]), [["Conv2D", 3], ["Residual", 5], ["GlobalAveragePool", 6]]);
  assert.deepEqual(stages(["Flatten", "Linear", "ReLU", "Linear"].map((type) => ({ type }))).map(({ output }) => output), [3]);
});

test("every layer that can be a stage has its words", () => {
  const convolution = { type: "Conv2D", kernel: 3, out_channels: 64, stride: 2 };
  for (const layer of [convolution, { type: "Residual", body: [convolution, convolution] }, { type: "GlobalAveragePool" }, { type: "MaxPool2D", size: 2 }, { type: "AveragePool2D", size: 2 }]) {
    const { title, words } = stageWords({ layer, number: 2, before: [32, 32, 32], after: [16, 16, 64] });
    assert.equal(title, "Stage 2: 64 maps of 16 × 16");
    assert.ok(words.length > 40 && !words.includes("undefined"), words);
  }
  assert.match(stageWords({ layer: { type: "Linear" }, number: 1, before: [64, 64, 3], after: [20] }).words, /20 numbers, each a weighted sum of all 12,288/);
});

test("a stage that does what an earlier one did is told in short, and says which", () => {
  const convolution = { type: "Conv2D", kernel: 3, out_channels: 64, stride: 2 };
  const block = { type: "Residual", body: [convolution, convolution] };
  const found = stages([convolution, { type: "ReLU" }, convolution, block, block, convolution, { type: "Linear" }]);
  assert.deepEqual(found.map(({ like }) => like), [null, null, null, 3, 2]);
  const words = (layer, like) => stageWords({ layer, number: 5, like, before: [16, 16, 32], after: [8, 8, 64] }).words;
  assert.equal(words(convolution, 2), "As in stage 2: 64 filters over all 32 maps, at every second place.");
  assert.equal(words(block, 3), "As in stage 3: two more rounds of filters, whose findings are added to the maps that came in.");
  assert.match(words({ type: "MaxPool2D", size: 2 }, 2), /only the strongest is kept/); // too short already
});

test("maps stand side by side on one scale", () => {
  const { width, height, alpha, active, total } = mosaic({ shape: [1, 2, 2], values: Float32Array.of(4, 0, 1, -1) });
  assert.deepEqual([width, height, active, total], [5, 1, 1, 2]);
  assert.deepEqual([...alpha], [255, 128, 0, 0, 0]);
  assert.ok(mosaic({ shape: [4], values: new Float32Array(4) }).alpha.every((value) => value === 0));
});

test("the path to the answer adds up", () => {
  const path = answerPath({ features: [1, 2, 0, 3, 1], weight: [0.5, 1, 9, -1, -0.25], bias: 0.1, temperature: 0.5, shown: 1 });
  assert.deepEqual(path.leading.map(({ index, contribution }) => [index, contribution]), [[1, 2], [3, -3]]);
  assert.equal(path.otherCount, 3);
  const total = path.leading.reduce((sum, { contribution }) => sum + contribution, 0) + path.others + path.bias;
  assert.ok(Math.abs(total - path.sum) < 1e-12 && Math.abs(path.sum + 0.65) < 1e-12);
  assert.equal(path.scaled, path.sum / 0.5);
});

test("a curve is asked from its ends to its details, each point once", () => {
  assert.deepEqual(coarseToFine(5), [0, 4, 2, 1, 3]);
  assert.equal(new Set(coarseToFine(33)).size, 33);
});

test("a curve says where the answer fails", () => {
  const [rotation] = CORRUPTIONS;
  const plot = curvePlot({ corruption: rotation, curve: new Map([[180, 0.1], [-180, 0.2], [0, 0.9]]), strength: 0, probability: 0.9 });
  assert.deepEqual(plot.series[0].points.map(([x]) => x), [-180, 0, 180]);
  assert.match(plot.summary, /from 10\.0\u202f%, lowest at 180, to 90\.0/);
  assert.equal(curvePlot({ corruption: rotation, curve: new Map(), strength: 0, probability: null }).marker, null);
});

test("strengths and the answer at rest are said in words", () => {
  const [rotation, blur] = CORRUPTIONS;
  assert.equal(strengthText(rotation, 0), "as it is");
  assert.equal(strengthText(rotation, -90), "−90°");
  assert.equal(strengthText(blur, 1.5), "1.5 px");
  const words = restingWords({ label: "cat", cat_probability: 0.9, certain: true }, { ...HARMLESS, rotation: 10 });
  assert.match(words, /^Rotation 10°: Yes, a cat\./);
});

test("the history of a training is read, with what is missing left out of its curves", () => {
  assert.equal(trainingHistory(HISTORY)[1].validation_loss, null);
  assert.equal(trainingHistory(HISTORY)[1].validation_balanced_accuracy, null);
  const { plots, data } = trainingView(HISTORY, { data: { training_images: 34064 } });
  assert.deepEqual(plots[0].plot.series[1].points, [[48000, 0.55], [144000, 0.36]]);
  assert.equal(data.rows.length, 3);
  assert.deepEqual(data.raw.rows[1], [1000, 96000, 0.48, null, null, 0.85]);
  assert.match(plots[1].plot.summary, /rises to 86\.0/);
});

for (const text of [null, "", "<!doctype html><p>no history</p>", "step,images,loss\n"]) {
  test(`without a history (${JSON.stringify(text)}) there is a sentence instead of curves`, () => {
    const { plots, sentence } = trainingView(text, {});
    assert.deepEqual(plots, []);
    assert.match(sentence, /not among the files/);
  });
}

test("how reliable a model is comes from its test part", () => {
  const metrics = { "a validation": { images: 5, expected_calibration_error: 0.5 }, "a test": { images: 1000, expected_calibration_error: 0.04 } };
  assert.match(reliabilityView({ metrics }).sentence, /1,000 pictures of a test, .* 0\.040 apart/);
  assert.match(reliabilityView({ metrics: { a: { images: 5 } } }).sentence, /not measured/);
});

test("a reliability diagram is drawn from the manifest's bins, what nothing was chosen on first", () => {
  const bin = (said, share, weight = 0.5) => ({ weight, said, true: share });
  const reliability = { "a validation": [bin(0.1, 0.1)], "a test": [bin(0.02, 0.01), bin(0.5, 0.7), bin(0.98, 0.99)] };
  const { plot, data } = reliabilityView({ reliability });
  assert.deepEqual(plot.series.map(({ name, mark }) => [name, mark]), [["as it should be", "dashes"], ["a test", "dots"], ["a validation", "dots"]]);
  assert.deepEqual(plot.series[1].points, [[0.02, 0.01], [0.5, 0.7], [0.98, 0.99]]);
  const thin = plot.summary.replaceAll("\u202f", " ");
  assert.equal(thin, "Reliability on a test: 1.0 % are cats where it says 2.0 %, and 99.0 % are cats where it says 98.0 %. Furthest from what it says: 70.0 % are cats where it says 50.0 %.");
  assert.equal(data.rows.length, 4);
  assert.deepEqual(data.raw.rows[1], ["a test", 0.5, 0.7, 0.5]);
});

test("without bins there is a sentence and no diagram", () => {
  assert.equal(reliabilityView({}).plot, null);
  assert.equal(reliabilityView({ reliability: {} }).data, null);
});

test("a card's headings, paragraphs, lists, tables and marks are shown", () => {
  const text = "# Title\n\nSome **bold** `code` and [a link](https://example.org/x).\n\n- one\n- two\n  lines\n\n| a | b |\n|---|---|\n| **1** | 2 |";
  const html = card(text);
  assert.match(html, /<h3>Title<\/h3>/);
  assert.match(html, /<strong>bold<\/strong> <code>code<\/code>/);
  assert.match(html, /<a href="https:\/\/example\.org\/x" rel="noopener noreferrer">a link<\/a>/);
  assert.equal(html.match(/<li>/g).length, 2);
  assert.match(html, /<td><strong>1<\/strong><\/td><td>2<\/td>/);
});

test("a card falls into sections at its headings of the second level, and begins with what comes before", () => {
  const [opening, one, other] = markdownSections("# Title\n\nIntro.\n\n## One\n\nFirst.\n\n### Deeper\n\nSecond.\n\n## Other\n\nThird.");
  assert.equal(opening.heading, null);
  assert.equal(opening.blocks.join(""), "<h3>Title</h3><p>Intro.</p>");
  assert.equal(String(one.heading), "<h4>One</h4>");
  assert.equal(one.blocks.join(""), "<p>First.</p><h5>Deeper</h5><p>Second.</p>");
  assert.equal(other.blocks.join(""), "<p>Third.</p>");
  assert.deepEqual(markdownSections("").flatMap(({ blocks }) => blocks), []);
});

test("a card can neither bring its own HTML nor lead anywhere but to the web", () => {
  const html = card('<img src=x onerror="alert(1)"> [a](javascript:alert(1)) [b](https://x" onclick="y) [c](../../file.toml) ![d](https://elsewhere/x.png)');
  assert.doesNotMatch(html, /<img|<a /);
  assert.match(html, /&lt;img src=x/);
  assert.match(html, / c /);
});
