/**
 * What can happen to a photo on its way to a network, each as far as one wants, done to the small picture that the network sees.
 *
 * Pixels are size * size * 3 numbers 0..255. Each corruption turns pixels into others; at its `harmless` strength it would
 * change nothing, and is not asked. The compression is the browser's own: see recompression.js.
 */
const COLOURS = 3;

export const CORRUPTIONS = [
  { name: "rotation", title: "Rotation", unit: "°", minimum: -180, maximum: 180, harmless: 0, step: 1, apply: rotated },
  { name: "blur", title: "Blur", unit: " px", minimum: 0, maximum: 6, harmless: 0, step: 0.1, apply: blurred },
  { name: "darkness", title: "Darkness", unit: " %", minimum: 0, maximum: 100, harmless: 0, step: 1, apply: darkened },
  { name: "noise", title: "Noise", unit: "", minimum: 0, maximum: 100, harmless: 0, step: 1, apply: noisy },
  { name: "quality", title: "JPEG quality", unit: "", minimum: 1, maximum: 100, harmless: 100, step: 1, apply: null },
];

export const HARMLESS = Object.fromEntries(CORRUPTIONS.map(({ name, harmless }) => [name, harmless]));

/** The picture after all of them, one after the other. `recompress(pixels, quality)` is what makes a JPEG of it and back. */
export async function corrupted(pixels, strengths, { recompress }) {
  let changed = pixels;
  for (const { name, harmless, apply } of CORRUPTIONS) {
    if (strengths[name] === harmless) continue;
    changed = apply ? apply(changed, strengths[name]) : await recompress(changed, strengths[name]);
  }
  return changed;
}

/** Turned by so many degrees, clockwise; what comes in at the corners is the picture mirrored at its edges. */
function rotated(pixels, degrees) {
  const size = Math.sqrt(pixels.length / COLOURS);
  const centre = (size - 1) / 2;
  const [cosine, sine] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const inside = (place) => {
    const position = ((place % (2 * size)) + 2 * size) % (2 * size);
    return position < size ? position : 2 * size - 1 - position;
  };
  return filled(pixels.length, (x, y, colour) => {
    const column = centre + (x - centre) * cosine + (y - centre) * sine;
    const row = centre - (x - centre) * sine + (y - centre) * cosine;
    const [left, top] = [Math.floor(column), Math.floor(row)];
    const at = (u, v) => pixels[(inside(v) * size + inside(u)) * COLOURS + colour];
    const upper = at(left, top) + (at(left + 1, top) - at(left, top)) * (column - left);
    const lower = at(left, top + 1) + (at(left + 1, top + 1) - at(left, top + 1)) * (column - left);
    return upper + (lower - upper) * (row - top);
  });
}

/** A Gaussian of this standard deviation in pixels, first along the rows and then along the columns. */
function blurred(pixels, deviation) {
  const size = Math.sqrt(pixels.length / COLOURS);
  const radius = Math.ceil(3 * deviation);
  const kernel = Array.from({ length: 2 * radius + 1 }, (_, index) => Math.exp(-((index - radius) ** 2) / (2 * deviation ** 2)));
  const total = kernel.reduce((sum, weight) => sum + weight, 0);
  const clamped = (place) => Math.min(Math.max(place, 0), size - 1);
  const along = (source, dx, dy) =>
    filled(
      pixels.length,
      (x, y, colour) => {
        let sum = 0;
        for (let index = 0; index < kernel.length; index++) {
          const offset = index - radius;
          sum += kernel[index] * source[(clamped(y + dy * offset) * size + clamped(x + dx * offset)) * COLOURS + colour];
        }
        return sum / total;
      },
      Float32Array,
    );
  return Uint8ClampedArray.from(along(along(pixels, 1, 0), 0, 1));
}

function darkened(pixels, percent) {
  return Uint8ClampedArray.from(pixels, (pixel) => pixel * (1 - percent / 100));
}

/** Normal noise of this standard deviation, the same grain each time, so that more of it is only more of it. */
function noisy(pixels, deviation) {
  const random = generator();
  return Uint8ClampedArray.from(pixels, (pixel) => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()); // Box and Muller 1958
    return pixel + deviation * normal;
  });
}

/** Numbers 0..1, always the same. Source: Park and Miller 1988, with the multiplier 48271. */
function generator() {
  let state = 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

function filled(length, value, Numbers = Uint8ClampedArray) {
  const size = Math.sqrt(length / COLOURS);
  return Numbers.from({ length }, (_, index) => {
    const place = Math.floor(index / COLOURS);
    return value(place % size, Math.floor(place / size), index % COLOURS);
  });
}
