/**
 * Make a large photo smaller before it is sent: the model looks at 64 x 64 pixels of it, and a phone's photo takes long on
 * a mobile connection. What is left has many times the pixels that the model needs, so its answer stays practically the same.
 */
import { drawnSmaller, sizeOf } from "./picture.js";

const WORTH_BYTES = 1_000_000; // below that the sending is not what takes long
const LONGEST_SIDE = 1600;
const QUALITY = 0.9;

/**
 * Resolves to: { photo: Blob, width, height }, the size being what it was; null where sending it as it is does as well, and
 * where this browser cannot read it.
 */
export async function shrunk(photo) {
  if (photo.size < WORTH_BYTES) return null;
  const size = await sizeOf(photo);
  if (size === null) return null;
  const smaller = await drawnSmaller(photo, { ...fitting(size), quality: QUALITY });
  return smaller !== null && smaller.size < photo.size / 2 ? { photo: smaller, ...size } : null;
}

/** The size that fits into a square of LONGEST_SIDE, never larger than it is. */
export function fitting({ width, height }) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
