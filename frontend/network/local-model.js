/**
 * A served model that runs in this browser: photos stay on the device.
 *
 *   const model = await LocalModel.load({ name: "catnet", version: "1" });
 *   const prediction = await model.predictPhoto(photo);       // the shape of the service's answer
 *   model.close();
 */
import { fetchModel } from "../api/model-files.js";

export class LocalModel {
  #worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  #waiting = new Map();
  #lastId = 0;

  /** Throws: Problem, DamagedModel */
  static async load({ name, version }, { signal, fetch } = {}) {
    return LocalModel.open(await fetchModel({ name, version }, { signal, fetch }));
  }

  /** From the model's files, as fetchModel() gives them; the weights are given away. Throws: DamagedModel */
  static async open({ manifest, weights }) {
    const model = new LocalModel(manifest);
    try {
      await model.#ask("load", { manifest, weights }, [weights]);
    } catch (error) {
      model.close();
      throw error;
    }
    return model;
  }

  /** Use load() or open(). */
  constructor(manifest) {
    this.manifest = manifest;
    this.#worker.addEventListener("message", ({ data: { id, answer, failure } }) => {
      const { resolve, reject } = this.#waiting.get(id) ?? {};
      if (!this.#waiting.delete(id)) return; // nobody waits any more
      if (failure) reject(Object.assign(new Error(failure.message), { name: failure.name }));
      else resolve(answer);
    });
    this.#worker.addEventListener("error", ({ message }) => this.#fail(new Error(message || "the worker cannot start")));
  }

  /** { pixels, width, height }: what the network sees of a photo (a Blob). Throws: an error named UnreadablePhoto */
  read(photo) {
    return this.#ask("read", { photo });
  }

  /** { cat_probability, logit, label, confidence, certain } of a picture's pixels. */
  predict(pixels) {
    return this.#ask("predict", { pixels });
  }

  /** The same with `activations`, what comes out of each layer, `weight` and `bias` of the last one, and `elapsedMilliseconds`. */
  trace(pixels) {
    return this.#ask("trace", { pixels });
  }

  /** The answer about a picture after what happens to it, with its `pixels` then. `strengths`: see corruptions.js */
  corrupt(pixels, strengths) {
    return this.#ask("corrupt", { pixels, strengths });
  }

  /** The answer about a photo in the shape of `POST /predict`; without an id, as nobody was told of it. */
  async predictPhoto(photo) {
    const started = performance.now();
    const { pixels, width, height } = await this.read(photo);
    const decoded = performance.now();
    const { cat_probability, label, confidence, certain } = await this.predict(pixels);
    const ended = performance.now();
    const { name, version } = this.manifest;
    const format = photo.type.replace(/^image\//, "").toUpperCase();
    return {
      prediction_id: null,
      label,
      confidence,
      cat_probability,
      certain,
      model: { name, version },
      image: { format, width, height },
      timings_ms: { decode: decoded - started, forward: ended - decoded, total: ended - started },
    };
  }

  close() {
    this.#worker.terminate();
    this.#fail(new DOMException("The model was closed.", "AbortError"));
  }

  #ask(question, details, transfer = []) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, question, ...details }, transfer);
    });
  }

  #fail(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
