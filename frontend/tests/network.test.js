import assert from "node:assert/strict";
import { test } from "node:test";
import { Model } from "../network/model.js";
import { buildNetwork } from "../network/network.js";
import { readSafetensors } from "../network/safetensors.js";

/** A safetensors file with these arrays: { name: { shape, values } }. */
function safetensors(arrays, { dtype = "F32", pad = "" } = {}) {
  let offset = 0;
  const header = { __metadata__: { format: "np" } };
  for (const [name, { shape, values }] of Object.entries(arrays)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + values.length * 4] };
    offset += values.length * 4;
  }
  const text = new TextEncoder().encode(JSON.stringify(header) + pad);
  const file = new Uint8Array(8 + text.length + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  let place = 8 + text.length;
  for (const { values } of Object.values(arrays)) {
    file.set(new Uint8Array(Float32Array.from(values).buffer), place);
    place += values.length * 4;
  }
  return file.buffer;
}

const parameters = (arrays) => readSafetensors(safetensors(arrays));
const run = (architecture, arrays, input) => buildNetwork(architecture, parameters(arrays)).reduce((activations, layer) => layer(activations), input);
const image = (shape, values) => ({ shape, values: Float32Array.from(values) });

for (const pad of ["", " ", "  ", "   "]) {
  test(`arrays are read wherever they begin (${pad.length} bytes further)`, () => {
    const read = readSafetensors(safetensors({ a: { shape: [2], values: [1, 2] }, b: { shape: [1, 2], values: [3, 4] } }, { pad }));
    assert.deepEqual([...read.keys()], ["a", "b"]);
    assert.deepEqual([...read.get("b").values], [3, 4]);
    assert.deepEqual(read.get("b").shape, [1, 2]);
  });
}

const whole = safetensors({ a: { shape: [2], values: [1, 2] } });
for (const [fault, buffer] of [
  ["empty", new ArrayBuffer(0)],
  ["cut within its header", whole.slice(0, 20)],
  ["cut within its numbers", whole.slice(0, whole.byteLength - 1)],
  ["with a header longer than the file", new Uint8Array([255, 255, 255, 255, 255, 255, 255, 255, 123]).buffer],
  ["with a header that is no JSON", new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 120, 120]).buffer],
  ["of other numbers", safetensors({ a: { shape: [1], values: [1] } }, { dtype: "F16" })],
]) {
  test(`a file ${fault} is refused`, () => assert.throws(() => readSafetensors(buffer), { name: "DamagedModel" }));
}

test("a shape that does not fit its numbers is refused", () => {
  const file = safetensors({ a: { shape: [2, 2], values: [1, 2] } });
  assert.throws(() => readSafetensors(file), { name: "DamagedModel" });
});

test("a convolution with stride and padding sums what is under its kernel, and zeros beyond the edge", () => {
  const ones = { "conv2d1.weight": { shape: [3, 3, 1, 1], values: Array(9).fill(1) }, "conv2d1.bias": { shape: [1], values: [0.5] } };
  const architecture = [{ type: "Conv2D", in_channels: 1, out_channels: 1, kernel: 3, stride: 2, padding: 1, bias: true }];
  const { shape, values } = run(architecture, ones, image([3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9]));
  assert.deepEqual(shape, [2, 2, 1]);
  assert.deepEqual([...values], [12.5, 16.5, 24.5, 28.5]);
});

test("a convolution keeps its channels apart, however many there are", () => {
  const weight = [1, 10, 100, 2, 20, 200]; // (in 2, out 3)
  const architecture = [{ type: "Conv2D", in_channels: 2, out_channels: 3, kernel: 1, stride: 1, padding: 0, bias: false }];
  const { values } = run(architecture, { "conv2d1.weight": { shape: [1, 1, 2, 3], values: weight } }, image([1, 5, 2], [1, 0, 0, 1, 1, 1, 2, 0, 0, 3]));
  assert.deepEqual([...values], [1, 10, 100, 2, 20, 200, 3, 30, 300, 2, 20, 200, 6, 60, 600]);
});

test("pools leave out what is left over, a channel at a time", () => {
  const picture = image([2, 3, 2], [1, -1, 2, -2, 9, 9, 3, -3, 4, -4, 9, 9]);
  assert.deepEqual([...run([{ type: "MaxPool2D", size: 2 }], {}, picture).values], [4, -1]);
  assert.deepEqual([...run([{ type: "AveragePool2D", size: 2 }], {}, picture).values], [2.5, -2.5]);
  assert.deepEqual([...run([{ type: "GlobalAveragePool" }], {}, image([1, 2, 2], [1, 2, 3, 6])).values], [2, 4]);
});

test("layers inside a shortcut have their own names, and its input is added", () => {
  const arrays = { "residual1.linear1.weight": { shape: [2, 2], values: [1, 0, 0, 1] }, "residual1.linear1.bias": { shape: [2], values: [10, 20] } };
  const architecture = [{ type: "Residual", body: [{ type: "Linear", in_features: 2, out_features: 2 }] }, { type: "ReLU" }];
  assert.deepEqual([...run(architecture, arrays, image([2], [-1, -30])).values], [8, 0]);
});

test("a layer that is not known and a parameter that is missing or of another shape are refused", () => {
  assert.throws(() => buildNetwork([{ type: "Attention" }], new Map()), /no layer of type Attention/);
  assert.throws(() => buildNetwork([{ type: "constructor" }], new Map()), /no layer of type constructor/);
  const linear = [{ type: "Linear", in_features: 2, out_features: 1 }];
  assert.throws(() => buildNetwork(linear, new Map()), /linear1.weight is missing/);
  const arrays = parameters({ "linear1.weight": { shape: [1, 2], values: [1, 2] }, "linear1.bias": { shape: [1], values: [0] } });
  assert.throws(() => buildNetwork(linear, arrays), /shape 1,2, expected 2,1/);
});

function tinyModel({ bias = 0, temperature = 1, threshold = 0.7 } = {}) {
  const manifest = {
    format_version: 1,
    architecture: [{ type: "Flatten" }, { type: "Linear", in_features: 3, out_features: 1 }],
    preprocessing: { size: 1, scale: 1 / 255, mean: [0.5, 0, 0], std: [0.5, 1, 1] },
    temperature,
    conformal: { threshold },
  };
  return new Model(manifest, safetensors({ "linear1.weight": { shape: [3, 1], values: [1, 2, 0] }, "linear1.bias": { shape: [1], values: [bias] } }));
}

test("pixels are normalised, weighed, and divided by the temperature", () => {
  const { logit, cat_probability: probability, label } = tinyModel({ temperature: 2 }).predict(Uint8Array.of(255, 51, 0));
  assert.ok(Math.abs(logit - 1.4) < 1e-6);
  assert.ok(Math.abs(probability - 1 / (1 + Math.exp(-0.7))) < 1e-7);
  assert.equal(label, "cat");
});

test("an answer is certain where exactly one label is plausible", () => {
  const pixels = Uint8Array.of(127, 0, 0); // all but nothing: the bias decides
  const certain = (bias, threshold) => tinyModel({ bias, threshold }).predict(pixels).certain;
  assert.equal(certain(0, 0.7), false); // both plausible
  assert.equal(certain(3, 0.7), true);
  assert.equal(certain(-3, 0.7), true);
  assert.equal(certain(0, 0.3), false); // neither
});

test("a trace has what every layer gave, the picture first", () => {
  const { activations, logit } = tinyModel().trace(Uint8Array.of(255, 0, 0));
  assert.deepEqual(activations.map(({ shape }) => shape), [[1, 1, 3], [3], [1]]);
  assert.equal(activations.at(-1).values[0], logit);
});

test("a network that does not end in one number is refused", () => {
  const manifest = { format_version: 1, architecture: [{ type: "ReLU" }] };
  assert.throws(() => new Model(manifest, safetensors({})), { name: "DamagedModel" });
  assert.throws(() => new Model({ ...manifest, format_version: 2 }, safetensors({})), /format version 2/);
});
