/**
 * Between a photo and the pixels that a network sees, by the browser's own means. Runs in a worker.
 *
 * The square and its 64x64 pixels are made as the service makes them, number for number; before that, the two decode in their
 * own ways: the service reads a large JPEG at a reduced scale and knows nothing of colour profiles either, and its answer to the
 * same file may differ by a little for it. Transparency is laid over white.
 */
import { centredSquare } from "./resample.js";

const LARGEST_SIDE = 4096; // 64 MB of canvas; the browser itself scales what is larger
const MARGIN = 2; // new pixels beyond the square that the antialiasing reaches
const SMALL = 4; // times the new side: so small a photo is not reduced first, and how it is resampled depends on all of it

/** Returns: { pixels, width, height }, of the photo as a viewer shows it. Throws: UnreadablePhoto */
export async function photoPixels(photo, size) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(photo, { colorSpaceConversion: "none" });
  } catch {
    throw new UnreadablePhoto();
  }
  const { width, height } = bitmap;
  const side = Math.min(width, height);
  const scale = Math.min(1, LARGEST_SIDE / side);
  const margin = side < SMALL * size ? Infinity : (MARGIN * side) / size;
  const cut = (length) => Math.max(0, Math.floor((length - side) / 2 - margin)); // what the square does not need
  const [left, top] = [cut(width), cut(height)];
  const context = newContext(Math.round((width - 2 * left) * scale), Math.round((height - 2 * top) * scale));
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, -left * scale, -top * scale, width * scale, height * scale);
  bitmap.close();
  const { data, width: cutWidth, height: cutHeight } = context.getImageData(0, 0, context.canvas.width, context.canvas.height);
  return { pixels: centredSquare({ width: cutWidth, height: cutHeight, stride: 4, values: data }, size), width, height };
}

/** The same pixels as a JPEG of this quality, 1..100, and read again. */
export async function recompress(pixels, quality) {
  const size = Math.sqrt(pixels.length / 3);
  const context = newContext(size, size);
  context.putImageData(imageData(pixels), 0, 0);
  const jpeg = await context.canvas.convertToBlob({ type: "image/jpeg", quality: quality / 100 });
  const bitmap = await createImageBitmap(jpeg);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, size, size).data.filter((_, index) => index % 4 < 3);
}

/** Pixels as a canvas takes them. */
export function imageData(pixels) {
  const size = Math.sqrt(pixels.length / 3);
  const values = new Uint8ClampedArray(size * size * 4).fill(255);
  for (let index = 0; index < size * size; index++) values.set(pixels.subarray(index * 3, index * 3 + 3), index * 4);
  return new ImageData(values, size, size);
}

export class UnreadablePhoto extends Error {
  name = "UnreadablePhoto";

  constructor() {
    super("This browser cannot read the file as a picture.");
  }
}

function newContext(width, height) {
  return new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
}
