/**
 * Opens the classifier when the network is gone, for whoever keeps their photos on this device: nobody else registers it.
 *
 * The gateway puts a line in front that says what belongs to the page now:
 *   const COPY = { version: "…", files: { "/": SHA-256 in hex, "/static/index.js": …, … } };
 * So a changed file makes this another script, which browsers look for at each visit, and its install keeps a whole new copy,
 * every file checked, beside the one before.
 *
 * While the network is there it has the word: whoever comes gets the page and all its files from there, never from the copy. Only
 * where the page itself cannot be fetched does the copy open, and then that page and its workers get all of their files from the
 * copy: old and new are never mixed. What is not listed, such as everything under /api and each photo, goes past this script.
 */
/* global COPY */
const PREFIX = "catnet-page-";
const NAME = PREFIX + COPY.version;
const OPENED_FROM_COPY = "/opened-from-copy/"; // names in the cache, of pages and workers: what a script remembers is lost when it rests

self.addEventListener("install", (event) => event.waitUntil(keepAll().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(dropOthers()));
self.addEventListener("message", (event) => {
  const [port] = event.ports;
  event.waitUntil(keepAll().then(() => port.postMessage(true), () => port.postMessage(false)));
});
self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method === "GET" && origin === self.location.origin && Object.hasOwn(COPY.files, pathname)) event.respondWith(answer(event, pathname));
});

/** All or nothing: a file that is not the announced one comes from another deploy, whose own copy will follow. */
async function keepAll() {
  try {
    const cache = await caches.open(NAME);
    await Promise.all(Object.entries(COPY.files).map(([path, digest]) => keep(cache, path, digest)));
  } catch (error) {
    await caches.delete(NAME);
    throw error;
  }
}

async function keep(cache, path, digest) {
  const response = await fetch(path, { cache: "no-cache" });
  const content = await crypto.subtle.digest("SHA-256", await response.clone().arrayBuffer());
  const found = [...new Uint8Array(content)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (!response.ok || found !== digest) throw new Error(`${path} is not what was announced`);
  await cache.put(path, response);
}

async function dropOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== NAME).map((name) => caches.delete(name)));
}

async function answer({ request, clientId, resultingClientId }, path) {
  if (request.mode === "navigate") return fromNetwork(request, () => fromCopy(path, resultingClientId));
  const kept = (await isOpenedFromCopy(clientId)) && (await fromCopy(path, resultingClientId)); // the result may be a worker
  return kept || fetch(request);
}

/** A proxy that answers for a service that is away is no better than no answer. */
async function fromNetwork(request, otherwise) {
  try {
    const response = await fetch(request);
    return response.status < 500 ? response : ((await otherwise()) ?? response);
  } catch (error) {
    const kept = await otherwise();
    if (kept) return kept;
    throw error;
  }
}

async function fromCopy(path, newClientId) {
  const kept = await caches.match(path, { cacheName: NAME });
  if (kept && newClientId) {
    const cache = await caches.open(NAME);
    await forgetClosed(cache);
    await cache.put(OPENED_FROM_COPY + newClientId, new Response());
  }
  return kept;
}

async function isOpenedFromCopy(clientId) {
  return (await caches.match(OPENED_FROM_COPY + clientId, { cacheName: NAME })) !== undefined;
}

async function forgetClosed(cache) {
  for (const { url } of await cache.keys()) {
    const [, id] = new URL(url).pathname.split(OPENED_FROM_COPY);
    if (id && !(await self.clients.get(id))) await cache.delete(url);
  }
}
