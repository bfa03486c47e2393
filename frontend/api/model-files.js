import { DamagedModel } from "../network/damaged-model.js";
import { Problem } from "./problem.js";
import { problemFromFailure, request, requestJson } from "./request.js";

const DEADLINE_SECONDS = 60; // two megabytes over a slow mobile connection

export function modelFileAddress({ name, version }, file) {
  return `/api/models/${encodeURIComponent(name)}/${encodeURIComponent(version)}/${file}`;
}

/**
 * What is needed to run a model here: { manifest, weights }, weights as an ArrayBuffer, kept by the browser for the next time.
 *
 * Throws: Problem; DamagedModel if they are not what the manifest says
 */
export async function fetchModel(model, { signal, fetch } = {}) {
  const manifest = await requestJson(modelFileAddress(model, "manifest.json"), { deadlineSeconds: DEADLINE_SECONDS, signal, fetch });
  const address = `${modelFileAddress(model, "model.safetensors")}?${new URLSearchParams({ sha256: manifest.sha256 })}`;
  const weights = await body(address, (response) => response.arrayBuffer(), { signal, fetch });
  if (!(await hasHash(weights, manifest.sha256))) throw new DamagedModel("the weights are not those that the manifest names");
  return { manifest, weights };
}

/** A text that goes with the model; null if it has none of this name. Throws: Problem */
export async function fetchModelText(model, file, { signal, fetch } = {}) {
  try {
    return await body(modelFileAddress(model, file), (response) => response.text(), { signal, fetch });
  } catch (error) {
    if (error instanceof Problem && error.reason === 404) return null;
    throw error;
  }
}

async function body(address, read, { signal, fetch }) {
  const deadline = AbortSignal.timeout(DEADLINE_SECONDS * 1000);
  const response = await request(address, { signal: signal ? AbortSignal.any([signal, deadline]) : deadline, fetch });
  try {
    return await read(response);
  } catch (error) {
    throw problemFromFailure(error);
  }
}

/** Browsers hash only on pages that came over HTTPS or from this machine; elsewhere the transport is no safer than the hash. */
export async function hasHash(content, sha256) {
  if (!globalThis.crypto?.subtle) return true;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") === sha256;
}
