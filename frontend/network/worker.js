/**
 * The model at work beside the page, so that the page stays quick. One question after the other:
 * { id, question, ...details } comes in, { id, answer } or { id, failure: { name, message } } goes out.
 */
import { corrupted } from "./corruptions.js";
import { Model } from "./model.js";
import { photoPixels, recompress } from "./photo-pixels.js";

let model = null;

const QUESTIONS = {
  load({ manifest, weights }) {
    model = new Model(manifest, weights);
    model.predict(new Uint8Array(manifest.preprocessing.size ** 2 * 3)); // the browser compiles what it sees at work
  },

  /** What the network sees of a photo. */
  read({ photo }) {
    return photoPixels(photo, model.manifest.preprocessing.size);
  },

  predict({ pixels }) {
    return model.predict(pixels);
  },

  /** The answer, all activations on the way, the weights that make it of the last of them, and how long it took. */
  trace({ pixels }) {
    const started = performance.now();
    const traced = model.trace(pixels);
    return { ...traced, ...model.lastLayer, elapsedMilliseconds: performance.now() - started };
  },

  /** The answer about the picture after what happens to it, and that picture. */
  async corrupt({ pixels, strengths }) {
    const changed = await corrupted(pixels, strengths, { recompress });
    return { ...model.predict(changed), pixels: changed };
  },
};

self.addEventListener("message", async ({ data: { id, question, ...details } }) => {
  try {
    self.postMessage({ id, answer: await QUESTIONS[question](details) });
  } catch ({ name, message }) {
    self.postMessage({ id, failure: { name, message } });
  }
});
