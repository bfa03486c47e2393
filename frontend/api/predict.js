import { requestJson } from "./request.js";
import { sending } from "./sending.js";

const DEADLINE_SECONDS = 60; // ten megabytes over a slow mobile connection

/**
 * Ask a model about one photo (a Blob): the one of this name, or without one the default. `onProgress` is told how much of
 * the photo is sent, 0..1.
 *
 * Returns: { prediction_id, label, confidence, cat_probability, certain, model, image, timings_ms }
 * Throws: Problem
 *
 * The bytes go without a form around them, which spares the gateway parsing one, and without the browser's guess of
 * their type, which comes from the file's name: the service looks at the content.
 */
export function predict(photo, { model = null, signal, onProgress, fetch = onProgress && sending(onProgress) } = {}) {
  return requestJson(model === null ? "/predict" : `/predict?${new URLSearchParams({ model })}`, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream", Accept: "application/json" },
    body: photo,
    deadlineSeconds: DEADLINE_SECONDS,
    signal,
    fetch,
  });
}
