/**
 * A model as it is served, in the browser: the pixels of a 64x64 picture in, a probability out. Equal to the service's to 1e-4
 * on the same pixels, as both read the same two files.
 */
import { DamagedModel } from "./damaged-model.js";
import { buildNetwork } from "./network.js";
import { readSafetensors } from "./safetensors.js";

const FORMAT_VERSION = 1;

export class Model {
  #layers;

  /** `weights`: the bytes of model.safetensors. Throws: DamagedModel */
  constructor(manifest, weights) {
    if (manifest.format_version !== FORMAT_VERSION) throw new DamagedModel(`format version ${manifest.format_version} is not known here`);
    this.manifest = manifest;
    this.parameters = readSafetensors(weights);
    this.#layers = buildNetwork(manifest.architecture, this.parameters);
    const last = manifest.architecture.at(-1);
    if (last?.type !== "Linear" || last.out_features !== 1) throw new DamagedModel("the network does not end in one number");
  }

  /** The answer about one picture. `pixels`: 64 * 64 * 3 numbers 0..255. */
  predict(pixels) {
    return this.#answer(this.#layers.reduce((activations, layer) => layer(activations), this.#normalized(pixels)));
  }

  /** The same answer, and on the way what comes out of each layer: [{ shape, values }], the normalised picture first. */
  trace(pixels) {
    const activations = [this.#normalized(pixels)];
    for (const layer of this.#layers) activations.push(layer(activations.at(-1)));
    return { ...this.#answer(activations.at(-1)), activations };
  }

  /** The weights that make the logit of the last hidden layer: { weight: [features], bias }. */
  get lastLayer() {
    const { architecture } = this.manifest;
    const name = `linear${architecture.filter(({ type }) => type === "Linear").length}`;
    return { weight: this.parameters.get(`${name}.weight`).values, bias: this.parameters.get(`${name}.bias`).values[0] };
  }

  /** (pixels * scale - mean) / std, channel by channel. */
  #normalized(pixels) {
    const { size, scale, mean, std } = this.manifest.preprocessing;
    const values = Float32Array.from(pixels, (pixel, index) => (pixel * scale - mean[index % 3]) / std[index % 3]);
    return { shape: [size, size, 3], values };
  }

  /** `certain` where exactly one label is plausible: 1 - p(label) at most the threshold of the conformal prediction. */
  #answer({ values: [logit] }) {
    const { temperature, conformal } = this.manifest;
    const probability = 1 / (1 + Math.exp(-logit / temperature));
    return {
      logit,
      cat_probability: probability,
      label: probability >= 0.5 ? "cat" : "non-cat",
      confidence: Math.max(probability, 1 - probability),
      certain: 1 - probability <= conformal.threshold !== probability <= conformal.threshold,
    };
  }
}
