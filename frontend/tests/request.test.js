import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../api/explain.js";
import { giveFeedback } from "../api/feedback.js";
import { predict } from "../api/predict.js";
import { fetchModels } from "../api/models.js";
import { requestJson } from "../api/request.js";

const ask = (fetch, options) => requestJson("/x", { deadlineSeconds: 5, fetch, ...options });

test("a photo goes out as bare bytes, whatever its name promises", async () => {
  const photo = new File(["bytes"], "cat.jpg", { type: "image/jpeg" });
  let sent;
  const fetch = async (url, options) => {
    sent = { url, ...options };
    return Response.json({ label: "cat" });
  };
  assert.deepEqual(await predict(photo, { fetch }), { label: "cat" });
  assert.equal(sent.url, "/predict");
  assert.equal(sent.method, "POST");
  assert.equal(sent.headers["Content-Type"], "application/octet-stream");
  assert.equal(sent.body, photo);
});

test("a photo goes to the model that is named, whatever its name", async () => {
  let asked;
  const fetch = async (url) => {
    asked = url;
    return Response.json({});
  };
  await predict(new Blob(["bytes"]), { model: "mlp/2&x", fetch });
  assert.equal(asked, "/predict?model=mlp%2F2%26x");
});

test("an explanation is asked for by method, of the model that is named", async () => {
  const asked = [];
  const fetch = async (url, { body }) => {
    asked.push([url, body]);
    return Response.json({});
  };
  const photo = new Blob(["bytes"]);
  await explain(photo, { method: "occlusion", fetch });
  await explain(photo, { method: "gradient", model: "mlp/2", fetch });
  assert.deepEqual(asked, [["/explain?method=occlusion", photo], ["/explain?method=gradient&model=mlp%2F2", photo]]);
});

test("the models are those of the list", async () => {
  assert.deepEqual(await fetchModels({ fetch: async () => Response.json({ models: [{ name: "mlp" }] }) }), [{ name: "mlp" }]);
});

test("what a photo really showed is sent with the prediction it is about", async () => {
  let sent;
  const fetch = async (url, options) => {
    sent = { url, ...options };
    return Response.json({ agrees: true });
  };
  await giveFeedback({ predictionId: "018f", label: "non-cat" }, { fetch });
  assert.deepEqual([sent.url, sent.method, sent.headers["Content-Type"]], ["/api/feedback", "POST", "application/json"]);
  assert.deepEqual(JSON.parse(sent.body), { prediction_id: "018f", label: "non-cat" });
});

test("a problem body becomes a Problem with all that a report needs", async () => {
  const body = { type: "about:blank", title: "Too Many Requests", status: 429, detail: "Busy.", request_id: "r1" };
  const fetch = async () => new Response(JSON.stringify(body), { status: 429, headers: { "Content-Type": "application/problem+json", "Retry-After": "3" } });
  await assert.rejects(ask(fetch), { name: "Problem", reason: 429, title: "Too Many Requests", detail: "Busy.", requestId: "r1", retryAfterSeconds: 3 });
});

test("an error that is not a problem body still has its status and its request id", async () => {
  const fetch = async () => new Response("<h1>Bad Gateway</h1>", { status: 502, headers: { "Content-Type": "text/html", "X-Request-ID": "r2" } });
  await assert.rejects(ask(fetch), { reason: 502, title: "", requestId: "r2", retryAfterSeconds: null });
});

test("a problem body of the wrong shape does no harm", async () => {
  for (const body of ["{broken", "null", "[]", '{"title": {"a": 1}, "request_id": 7}']) {
    const fetch = async () => new Response(body, { status: 500, headers: { "Content-Type": "application/problem+json" } });
    await assert.rejects(ask(fetch), { name: "Problem", reason: 500, title: "", requestId: "" });
  }
});

test("a Retry-After that is no number of seconds is left out", async () => {
  for (const value of ["soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"]) {
    const fetch = async () => new Response("", { status: 503, headers: { "Retry-After": value } });
    await assert.rejects(ask(fetch), { retryAfterSeconds: null });
  }
});

test("no network is a Problem of its own", async () => {
  const fetch = async () => { throw new TypeError("Failed to fetch"); };
  await assert.rejects(ask(fetch), { name: "Problem", reason: "network" });
});

test("a success that is not JSON is unreadable", async () => {
  await assert.rejects(ask(async () => new Response("<h1>Sign in</h1>")), { name: "Problem", reason: "unreadable" });
});

test("no answer within the deadline is a timeout", async () => {
  const fetch = (url, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  await assert.rejects(ask(fetch, { deadlineSeconds: 0.001 }), { name: "Problem", reason: "timeout" });
});

test("an abort that the caller asked for is not a problem", async () => {
  const aborting = new AbortController();
  const fetch = (url, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const asked = ask(fetch, { signal: aborting.signal });
  aborting.abort();
  await assert.rejects(asked, { name: "AbortError" });
});
