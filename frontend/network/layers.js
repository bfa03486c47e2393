/**
 * The layers of nnlib for one image at a time: each builder takes a layer's configuration and its parameters, and returns the
 * function that serving applies.
 *
 * An array is { shape, values }: [height, width, channels] for images, [features] once they are laid out as a row.
 * `take(name, shape)` gives the values of a parameter of that layer, `build(body)` the functions of layers inside it.
 */
import { convolution } from "./convolution.js";
import { DamagedModel } from "./damaged-model.js";

export const LAYERS = {
  Conv2D({ in_channels: inChannels, out_channels: outChannels, kernel, stride = 1, padding = 0, bias = true }, { take }) {
    const weight = { shape: [kernel, kernel, inChannels, outChannels], values: take("weight", [kernel, kernel, inChannels, outChannels]) };
    return convolution({ weight, bias: bias ? take("bias", [outChannels]) : null, stride, padding });
  },

  BatchNorm({ channels, epsilon = 1e-5 }, { take }) {
    const [scale, shift, mean, variance] = ["scale", "shift", "mean", "variance"].map((name) => take(name, [channels]));
    const factor = scale.map((value, channel) => value / Math.sqrt(variance[channel] + epsilon));
    const offset = shift.map((value, channel) => value - mean[channel] * factor[channel]);
    return (inputs) => mapped(inputs, (value, index) => value * factor[index % channels] + offset[index % channels]);
  },

  ReLU: () => (inputs) => mapped(inputs, (value) => (value > 0 ? value : 0)),

  SiLU: () => (inputs) => mapped(inputs, (value) => value / (1 + Math.exp(-value))),

  Dropout: () => (inputs) => inputs, // only training drops anything

  Flatten: () => ({ values }) => ({ shape: [values.length], values }),

  Linear({ in_features: inFeatures, out_features: outFeatures }, { take }) {
    const weight = take("weight", [inFeatures, outFeatures]);
    const bias = take("bias", [outFeatures]);
    return ({ values }) => {
      if (values.length !== inFeatures) throw new DamagedModel(`a layer takes ${inFeatures} numbers and gets ${values.length}`);
      const sums = Float64Array.from(bias);
      for (let feature = 0, place = 0; feature < inFeatures; feature++) {
        for (let output = 0; output < outFeatures; output++, place++) sums[output] += values[feature] * weight[place];
      }
      return { shape: [outFeatures], values: Float32Array.from(sums) };
    };
  },

  MaxPool2D: ({ size }) => (inputs) => pooled(inputs, size, (one, other) => Math.max(one, other), (value) => value),

  AveragePool2D: ({ size }) => (inputs) => pooled(inputs, size, (one, other) => one + other, (sum) => sum / size ** 2),

  GlobalAveragePool: () => ({ shape: [height, width, channels], values }) => {
    const sums = new Float64Array(channels);
    for (let index = 0; index < values.length; index++) sums[index % channels] += values[index];
    return { shape: [channels], values: Float32Array.from(sums, (sum) => sum / (height * width)) };
  },

  Residual({ body }, { build }) {
    const layers = build(body);
    return (inputs) => {
      const change = layers.reduce((activations, layer) => layer(activations), inputs);
      if (change.values.length !== inputs.values.length) throw new DamagedModel("a shortcut joins two arrays of different sizes");
      return mapped(inputs, (value, index) => value + change.values[index]);
    };
  },
};

function mapped({ shape, values }, change) {
  const outputs = new Float32Array(values.length);
  for (let index = 0; index < values.length; index++) outputs[index] = change(values[index], index);
  return { shape, values: outputs };
}

/** Squares of size x size pixels side by side, a channel at a time; what is left over at the right and the bottom is ignored. */
function pooled({ shape: [height, width, channels], values }, size, combine, finish) {
  const [outHeight, outWidth] = [Math.floor(height / size), Math.floor(width / size)];
  const outputs = new Float32Array(outHeight * outWidth * channels);
  for (let index = 0; index < outputs.length; index++) {
    const channel = index % channels;
    const column = Math.floor(index / channels) % outWidth;
    const row = Math.floor(index / channels / outWidth);
    let result = null;
    for (let v = 0; v < size; v++) {
      for (let u = 0; u < size; u++) {
        const value = values[((row * size + v) * width + column * size + u) * channels + channel];
        result = result === null ? value : combine(result, value);
      }
    }
    outputs[index] = finish(result);
  }
  return { shape: [outHeight, outWidth, channels], values: outputs };
}
