/**
 * The files of one model, kept in this browser for when the service is away: those that were asked for last. They are not an
 * answer of the service, but what it is made of; the weights are checked against their hash when they are taken out again.
 */
import { fetchModel, hasHash } from "../api/model-files.js";

const CACHE = "catnet-model"; // one of those that copies.js forgets
const MANIFEST = "/kept-model/manifest.json"; // names in the cache, no addresses
const WEIGHTS = "/kept-model/model.safetensors";

/** Keep the files, unless they are here. Resolves to: whether they are now; not where there is no room, or nothing may be kept. */
export async function keepModel(model, { fetchFiles = fetchModel } = {}) {
  try {
    const cache = await caches.open(CACHE);
    const before = await (await cache.match(MANIFEST))?.json();
    if (before?.sha256 === model.sha256 && before.name === model.name && before.version === model.version) return true;
    const { manifest, weights } = await fetchFiles(model); // the browser has just had them
    await cache.put(WEIGHTS, new Response(weights));
    await cache.put(MANIFEST, Response.json(manifest)); // last: it vouches for the weights
    return true;
  } catch {
    return false;
  }
}

/** { manifest, weights } of the model of this name (see modelNamed), null for whichever there is; null if it is not here whole. */
export async function keptModel(name) {
  try {
    const cache = await caches.open(CACHE);
    const manifest = await (await cache.match(MANIFEST)).json();
    if (![null, manifest.name, `${manifest.name}/${manifest.version}`].includes(name)) return null;
    const weights = await (await cache.match(WEIGHTS)).arrayBuffer();
    return (await hasHash(weights, manifest.sha256)) ? { manifest, weights } : null;
  } catch {
    return null; // nothing was kept
  }
}
