import { requestJson } from "./request.js";

const DEADLINE_SECONDS = 60;

/**
 * Ask what in a photo (a Blob) spoke for a cat: the model of this name, or without one the default, by this method.
 *
 * Returns: { method, heatmap: rows of numbers from -1 (against a cat) to 1 (for one), heatmap_png, … }
 * Throws: Problem
 */
export function explain(photo, { model = null, method, signal, fetch } = {}) {
  const query = new URLSearchParams(model === null ? { method } : { method, model });
  return requestJson(`/explain?${query}`, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream", Accept: "application/json" },
    body: photo,
    deadlineSeconds: DEADLINE_SECONDS,
    signal,
    fetch,
  });
}
