/**
 * Convolution as a matrix product over patches, in blocks that stay in the processor's nearest cache.
 *
 * Images are { shape: [height, width, channels], values: Float32Array }, weights (kernel, kernel, in_channels, out_channels),
 * as nnlib has them. The patches of PIXELS neighbouring pixels are copied side by side; each product then takes PIXELS x MAPS
 * numbers at a time, held in registers. Sums are in double precision, which is as fast here and rounds once.
 */
const PIXELS = 4;
const MAPS = 2;

/** Returns: a function from an image to its convolution. `bias` may be null. */
export function convolution({ weight, bias, stride, padding }) {
  const [kernel, , inChannels, outChannels] = weight.shape;
  const patchLength = kernel * kernel * inChannels;
  const panels = weightPanels(weight.values, patchLength, outChannels);
  const patches = new Float64Array(PIXELS * patchLength);

  return ({ shape: [height, width], values }) => {
    const outHeight = Math.floor((height + 2 * padding - kernel) / stride) + 1;
    const outWidth = Math.floor((width + 2 * padding - kernel) / stride) + 1;
    const pixels = outHeight * outWidth;
    const outputs = new Float32Array(pixels * outChannels);
    for (let first = 0; first < pixels; first += PIXELS) {
      const count = Math.min(PIXELS, pixels - first);
      for (let index = 0; index < count; index++) {
        const top = Math.floor((first + index) / outWidth) * stride - padding;
        const left = ((first + index) % outWidth) * stride - padding;
        copyPatch(values, height, width, inChannels, kernel, top, left, patches, index);
      }
      multiply(patches, panels, patchLength, outChannels, bias, outputs, first, count);
    }
    return { shape: [outHeight, outWidth, outChannels], values: outputs };
  };
}

/** The weights as panels of MAPS columns, each column's numbers next to its neighbour's; the last one filled up with zeros. */
function weightPanels(values, patchLength, outChannels) {
  const panelCount = Math.ceil(outChannels / MAPS);
  const panels = new Float64Array(panelCount * MAPS * patchLength);
  for (let place = 0; place < patchLength; place++) {
    for (let map = 0; map < outChannels; map++) {
      const panel = Math.floor(map / MAPS);
      panels[(panel * patchLength + place) * MAPS + (map % MAPS)] = values[place * outChannels + map];
    }
  }
  return panels;
}

/** The numbers under the kernel, zeros where it hangs over the edge, into every PIXELS-th place from `index` on. */
function copyPatch(values, height, width, channels, kernel, top, left, patches, index) {
  let target = index;
  for (let row = top; row < top + kernel; row++) {
    for (let column = left; column < left + kernel; column++) {
      const inside = row >= 0 && row < height && column >= 0 && column < width;
      const source = (row * width + column) * channels;
      for (let channel = 0; channel < channels; channel++, target += PIXELS) patches[target] = inside ? values[source + channel] : 0;
    }
  }
}

function multiply(patches, panels, patchLength, outChannels, bias, outputs, first, count) {
  const end = patchLength * PIXELS;
  for (let map = 0, panel = 0; map < outChannels; map += MAPS) {
    let a0 = 0, a1 = 0, b0 = 0, b1 = 0, c0 = 0, c1 = 0, d0 = 0, d1 = 0;
    for (let place = 0; place < end; place += PIXELS, panel += MAPS) {
      const w0 = panels[panel];
      const w1 = panels[panel + 1];
      const a = patches[place];
      const b = patches[place + 1];
      const c = patches[place + 2];
      const d = patches[place + 3];
      a0 += a * w0;
      a1 += a * w1;
      b0 += b * w0;
      b1 += b * w1;
      c0 += c * w0;
      c1 += c * w1;
      d0 += d * w0;
      d1 += d * w1;
    }
    const bias0 = bias ? bias[map] : 0;
    put(outputs, first, count, outChannels, map, a0 + bias0, b0 + bias0, c0 + bias0, d0 + bias0);
    if (map + 1 === outChannels) return;
    const bias1 = bias ? bias[map + 1] : 0;
    put(outputs, first, count, outChannels, map + 1, a1 + bias1, b1 + bias1, c1 + bias1, d1 + bias1);
  }
}

/** One map's numbers at up to PIXELS pixels. */
function put(outputs, first, count, outChannels, map, a, b, c, d) {
  const place = first * outChannels + map;
  outputs[place] = a;
  if (count > 1) outputs[place + outChannels] = b;
  if (count > 2) outputs[place + 2 * outChannels] = c;
  if (count > 3) outputs[place + 3 * outChannels] = d;
}
