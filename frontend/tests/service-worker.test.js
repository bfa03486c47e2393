import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const SOURCE = readFileSync(new URL("../service-worker.js", import.meta.url), "utf8");
const ORIGIN = "https://catnet.example";
const FILES = { "/": "the page", "/static/index.js": "the script" };

async function sha256(text) {
  return Buffer.from(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toString("hex");
}

/** Cache Storage, as much of it as is used here. */
class Caches {
  all = new Map();

  async open(name) {
    if (!this.all.has(name)) this.all.set(name, new Map());
    const entries = this.all.get(name);
    const key = (address) => new URL(address, ORIGIN).href;
    return {
      put: async (address, response) => void entries.set(key(address), response),
      match: async (address) => entries.get(key(address))?.clone(),
      delete: async (address) => entries.delete(key(address)),
      keys: async () => [...entries.keys()].map((url) => ({ url })),
    };
  }

  async match(address, { cacheName }) {
    return this.all.has(cacheName) ? (await this.open(cacheName)).match(address) : undefined;
  }

  keys = async () => [...this.all.keys()];
  delete = async (name) => this.all.delete(name);
}

/** The script at work, with the network as a function from a path to a Response, or to an error that is thrown. */
async function worker({ version = "1", files = FILES, network, caches = new Caches() }) {
  const digests = await Promise.all(Object.entries(files).map(async ([path, text]) => [path, await sha256(text)]));
  const listeners = {};
  const asked = [];
  const scope = {
    COPY: { version, files: Object.fromEntries(digests) },
    caches,
    crypto,
    Response,
    URL,
    Uint8Array,
    fetch: async (request) => {
      const path = new URL(request.url ?? request, ORIGIN).pathname;
      asked.push(path);
      const answer = network(path);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    self: {
      location: { origin: ORIGIN },
      clients: { get: async (id) => (id.startsWith("closed") ? undefined : { id }) },
      skipWaiting: async () => {},
      addEventListener: (type, listener) => (listeners[type] = listener),
    },
  };
  vm.runInNewContext(SOURCE, scope);
  const waited = (type) => new Promise((resolve) => listeners[type]({ waitUntil: resolve }));
  return {
    caches,
    asked,
    install: () => waited("install"),
    activate: () => waited("activate"),
    /** The text that a request gets, undefined where the script leaves it to the browser. */
    async get(path, { mode = "no-cors", method = "GET", clientId = "", resultingClientId = "" } = {}) {
      let answer;
      const request = { url: new URL(path, ORIGIN).href, method, mode };
      listeners.fetch({ request, clientId, resultingClientId, respondWith: (response) => (answer = response) });
      return answer && (await (await answer).text());
    },
  };
}

const served = (files) => (path) => (path in files ? new Response(files[path]) : new Response("", { status: 404 }));
const gone = () => new TypeError("no network");

test("what is not listed goes past it: answers, photos, other origins, other pages", async () => {
  const script = await worker({ network: served({}) });
  await script.install().catch(() => {});
  script.asked.length = 0;
  for (const path of ["/api/models", "/api/models/catnet/1/model.safetensors", "/predict", "/dashboard", "https://elsewhere.example/"]) {
    assert.equal(await script.get(path, { mode: "navigate" }), undefined, path);
  }
  assert.equal(await script.get("/", { method: "POST" }), undefined);
  assert.deepEqual(script.asked, []);
});

test("a file that is not the announced one is kept by nobody, and the copy before stays", async () => {
  const { caches } = await worker({ network: served(FILES) }).then(async (script) => {
    await script.install();
    return script;
  });
  const newer = await worker({ version: "2", network: served({ ...FILES, "/static/index.js": "of another deploy" }), caches });
  await assert.rejects(newer.install(), /index\.js is not what was announced/);
  assert.deepEqual(await caches.keys(), ["catnet-page-1"]);
});

test("a newer copy replaces the one before, and touches nothing else", async () => {
  const { caches, install } = await worker({ network: served(FILES) });
  await install();
  await caches.open("catnet-model");
  const newer = await worker({ version: "2", network: served(FILES), caches });
  await newer.install();
  await newer.activate();
  assert.deepEqual(await caches.keys(), ["catnet-model", "catnet-page-2"]);
});

test("the network has the word while it is there, also over what is kept", async () => {
  let network = served(FILES);
  const script = await worker({ network: (path) => network(path) });
  await script.install();
  network = served({ "/": "a newer page", "/static/index.js": "a newer script" });
  assert.equal(await script.get("/", { mode: "navigate", resultingClientId: "page" }), "a newer page");
  assert.equal(await script.get("/static/index.js", { clientId: "page" }), "a newer script");
});

for (const [name, answer] of [["is gone", gone], ["answers only for a service that is away", () => new Response("bad gateway", { status: 502 })]]) {
  test(`a page opens from the copy where the network ${name}, and then all of it does`, async () => {
    let network = served(FILES);
    const script = await worker({ network: (path) => network(path) });
    await script.install();
    network = answer;
    assert.equal(await script.get("/?model=catnet", { mode: "navigate", resultingClientId: "page" }), "the page");
    network = served({ "/": "a newer page", "/static/index.js": "a newer script" }); // back, after a deploy
    assert.equal(await script.get("/static/index.js", { clientId: "page" }), "the script");
    assert.equal(await script.get("/static/index.js", { clientId: "page", resultingClientId: "its worker" }), "the script");
    assert.equal(await script.get("/static/index.js", { clientId: "its worker" }), "the script");
  });
}

test("a page that came from the network gets nothing from the copy, however old or new that is", async () => {
  let network = served(FILES);
  const script = await worker({ network: (path) => network(path) });
  await script.install();
  await script.get("/", { mode: "navigate", resultingClientId: "page" });
  network = gone;
  await assert.rejects(script.get("/static/index.js", { clientId: "page" }), TypeError);
});

test("pages that are closed are forgotten", async () => {
  let network = served(FILES);
  const script = await worker({ network: (path) => network(path) });
  await script.install();
  network = gone;
  for (const id of ["closed 1", "closed 2", "open"]) await script.get("/", { mode: "navigate", resultingClientId: id });
  const kept = await (await script.caches.open("catnet-page-1")).keys();
  const markers = kept.map(({ url }) => new URL(url).pathname).filter((path) => path.startsWith("/opened-from-copy/"));
  assert.deepEqual(markers, ["/opened-from-copy/open"]);
});

test("without a copy a page fails as it would without the script", async () => {
  const script = await worker({ network: gone });
  await assert.rejects(script.get("/", { mode: "navigate", resultingClientId: "page" }), TypeError);
});
