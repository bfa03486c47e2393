/**
 * Small pictures of photos, made one after the other and each once: many at a time would take the memory and the time that
 * the answers need.
 */
import { squareOf } from "./picture.js";

const SIDE = 160;
const QUALITY = 0.75;

export class Thumbnails {
  #made = new WeakMap(); // from a File to the promise of its picture
  #last = Promise.resolve();

  /** Resolves to: a Blob; null if this browser cannot show the photo. */
  of(file) {
    if (!this.#made.has(file)) {
      this.#last = this.#last.then(() => squareOf(file, { side: SIDE, quality: QUALITY }));
      this.#made.set(file, this.#last);
    }
    return this.#made.get(file);
  }
}

/** A Blob as a data: URL, which can be kept as text. */
export function asDataUrl(blob) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => resolve(null));
    reader.readAsDataURL(blob);
  });
}
