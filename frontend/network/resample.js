/**
 * The largest centred square of a photo as the 64x64 picture that a network sees, number for number as Pillow makes it:
 * a large photo is first averaged over squares of whole pixels (reduce), then resampled by an antialiased bicubic filter, along
 * its rows and along its columns, each of the three steps rounded to 8 bits.
 *
 * A picture is { width, height, stride, values }: `stride` numbers a pixel, of which the first three are red, green and blue.
 * Source: Pillow's documentation of Image.resize and Image.reduce, and its libImaging/Resample.c and Reduce.c.
 */
const COLOURS = 3;
const REDUCING_GAP = 2; // reduce no further than to twice the target
const BICUBIC_SUPPORT = 2;
const FIXED_POINT = 2 ** 22; // what a weight of 1 is in Pillow's whole numbers

/** Returns: size * size * 3 numbers 0..255. */
export function centredSquare(picture, size) {
  const side = Math.min(picture.width, picture.height);
  const [left, top] = [(picture.width - side) / 2, (picture.height - side) / 2];
  const factor = Math.floor(side / size / REDUCING_GAP) || 1;
  if (factor === 1) return resampled(picture, left, top, side, size);
  const margin = (BICUBIC_SUPPORT - 0.5) * (side / size);
  const box = {
    left: Math.max(0, Math.trunc(left - margin)),
    top: Math.max(0, Math.trunc(top - margin)),
    right: Math.min(picture.width, Math.ceil(left + side + margin)),
    bottom: Math.min(picture.height, Math.ceil(top + side + margin)),
  };
  return resampled(reduced(picture, box, factor), (left - box.left) / factor, (top - box.top) / factor, side / factor, size);
}

/** The means of squares of factor x factor pixels; those at the right and the bottom may be smaller. */
function reduced({ width, stride, values }, { left, top, right, bottom }, factor) {
  const [outWidth, outHeight] = [Math.ceil((right - left) / factor), Math.ceil((bottom - top) / factor)];
  const outputs = new Uint8Array(outWidth * outHeight * COLOURS);
  for (let row = 0, target = 0; row < outHeight; row++) {
    const firstRow = top + row * factor;
    const lastRow = Math.min(firstRow + factor, bottom);
    for (let column = 0; column < outWidth; column++, target += COLOURS) {
      const firstColumn = left + column * factor;
      const lastColumn = Math.min(firstColumn + factor, right);
      let [red, green, blue] = [0, 0, 0];
      for (let y = firstRow; y < lastRow; y++) {
        const end = (y * width + lastColumn) * stride;
        for (let source = (y * width + firstColumn) * stride; source < end; source += stride) {
          red += values[source];
          green += values[source + 1];
          blue += values[source + 2];
        }
      }
      const count = (lastRow - firstRow) * (lastColumn - firstColumn);
      const multiplier = Math.floor(Math.fround(2 ** 32 / (256 * count))); // a division as Pillow multiplies and shifts
      const half = Math.floor(count / 2);
      outputs[target] = Math.floor(((red + half) * multiplier) / 2 ** 24);
      outputs[target + 1] = Math.floor(((green + half) * multiplier) / 2 ** 24);
      outputs[target + 2] = Math.floor(((blue + half) * multiplier) / 2 ** 24);
    }
  }
  return { width: outWidth, height: outHeight, stride: COLOURS, values: outputs };
}

/** A square of a picture, its place in fractions of pixels, as size x size pixels. */
function resampled(picture, left, top, side, size) {
  const across = (image) => resampledRows(image, weights(picture.width, left, side, size));
  const down = (image) => resampledColumns(image, weights(picture.height, top, side, size));
  const { width, height } = picture;
  const isTall = height > size && height - size > 2 * (width - size); // then Pillow 13 takes the other way round, which is quicker
  return isTall ? across(down(picture)).values : down(across(picture)).values;
}

/** Each row made of the weighted sums of its pixels. */
function resampledRows({ width, height, stride, values }, columns) {
  const outputs = new Uint8ClampedArray(columns.length * height * COLOURS);
  for (let y = 0, target = 0; y < height; y++) {
    for (const { first, factors } of columns) target = weighted(values, (y * width + first) * stride, stride, factors, outputs, target);
  }
  return { width: columns.length, height, stride: COLOURS, values: outputs };
}

/** Each column made of the weighted sums of its pixels. */
function resampledColumns({ width, stride, values }, rows) {
  const outputs = new Uint8ClampedArray(width * rows.length * COLOURS);
  let target = 0;
  for (const { first, factors } of rows) {
    for (let x = 0; x < width; x++) target = weighted(values, (first * width + x) * stride, width * stride, factors, outputs, target);
  }
  return { width, height: rows.length, stride: COLOURS, values: outputs };
}

/** One pixel: the weighted sum of pixels that are `step` numbers apart. Returns the place of the next one. */
function weighted(values, source, step, factors, outputs, target) {
  let [red, green, blue] = [FIXED_POINT / 2, FIXED_POINT / 2, FIXED_POINT / 2];
  for (let index = 0; index < factors.length; index++, source += step) {
    const factor = factors[index];
    red += values[source] * factor;
    green += values[source + 1] * factor;
    blue += values[source + 2] * factor;
  }
  outputs[target] = Math.floor(red / FIXED_POINT);
  outputs[target + 1] = Math.floor(green / FIXED_POINT);
  outputs[target + 2] = Math.floor(blue / FIXED_POINT);
  return target + COLOURS;
}

/** For each new pixel: the first of the old ones it is made of, and their weights, which sum to 1, as whole numbers. */
function weights(length, start, side, size) {
  const from = Math.fround(start); // Pillow passes boxes in single precision
  const scale = Math.fround(Math.fround(start + side) - from) / size;
  const widening = Math.max(scale, 1);
  const support = BICUBIC_SUPPORT * widening;
  return Array.from({ length: size }, (_, index) => {
    const centre = from + (index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(length, Math.trunc(centre + support + 0.5));
    const raw = Array.from({ length: last - first }, (_, place) => bicubic((place + first - centre + 0.5) / widening));
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    return { first, factors: Float64Array.from(raw, (weight) => rounded((weight / total) * FIXED_POINT)) };
  });
}

/** Keys' cubic with a = -0.5. */
function bicubic(distance) {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

/** To the nearest whole number, halves away from zero. */
function rounded(value) {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}
