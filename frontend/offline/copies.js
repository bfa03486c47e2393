/**
 * What this browser keeps so that the classifier opens and answers when the network is gone: the page (service-worker.js) and the
 * model (kept-model.js). Browsers allow it over HTTPS and from this machine alone.
 */
const CACHES = "catnet-";
const PAGES = "catnet-page-"; // among them, see service-worker.js

/** Resolves once the page opens without the network. Throws: where the browser allows no copy, or a file of it did not arrive. */
export async function keepPage() {
  if (!navigator.serviceWorker) throw new Error("this browser, or this address, allows no copy");
  const registration = await navigator.serviceWorker.register("/service-worker.js", { updateViaCache: "none" });
  if (!registration.active) return isActive(registration.installing ?? registration.waiting);
  // A newer one, should there be one, takes its place by itself. But one that was forgotten while its page was open comes back
  // without its files, and a browser that is short of room may drop them.
  if (!(await caches.keys()).some((name) => name.startsWith(PAGES))) await keepAgain(registration.active);
}

/** Nothing is kept any more, and the page opens from the network alone. */
export async function forgetCopies() {
  const registration = await navigator.serviceWorker?.getRegistration("/");
  await registration?.unregister();
  for (const name of (await globalThis.caches?.keys()) ?? []) if (name.startsWith(CACHES)) await caches.delete(name);
}

function keepAgain(worker) {
  return new Promise((resolve, reject) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data: isWhole }) => (isWhole ? resolve() : reject(new Error("the copy did not arrive whole")));
    worker.postMessage("keep", [port2]);
  });
}

function isActive(worker) {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new Error("the copy did not arrive whole"));
    };
    worker.addEventListener("statechange", look);
    look();
  });
}
