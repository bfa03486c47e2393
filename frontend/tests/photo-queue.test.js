import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Problem } from "../api/problem.js";
import { PhotoQueue, isPending } from "../photos/photo-queue.js";

/** Someone who answers when the test says so: ask.questions holds those that are open, by the name of their file. */
function answerer() {
  const questions = new Map();
  const ask = (file, { signal, onProgress }) =>
    new Promise((resolve, reject) => {
      questions.set(file, { resolve, reject, onProgress, signal });
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  return Object.assign(ask, { questions });
}

/** Let everything that is settled be noticed. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

async function finish(ask, file, { answer, problem }) {
  const { resolve, reject } = ask.questions.get(file);
  ask.questions.delete(file);
  if (problem) reject(problem);
  else resolve(answer ?? { label: "cat" });
  await settle();
}

const kinds = (queue) => queue.photos.map(({ state }) => state.kind).join(" ");

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
});

test("three are asked about at once, in their order, and the next one as soon as one is answered", async () => {
  const ask = answerer();
  const queue = new PhotoQueue(ask);
  queue.add(["a", "b", "c", "d", "e"]);
  assert.equal(kinds(queue), "asking asking asking waiting waiting");
  await finish(ask, "b", {});
  assert.equal(kinds(queue), "asking answered asking asking waiting");
  assert.deepEqual([...ask.questions.keys()], ["a", "c", "d"]);
});

test("every new state is told once, and progress by itself", async () => {
  const ask = answerer();
  const queue = new PhotoQueue(ask);
  const told = [];
  queue.addEventListener("added", ({ detail }) => told.push(`added ${detail.photos.length}`));
  queue.addEventListener("changed", ({ detail }) => told.push(detail.photo.state.kind));
  queue.addEventListener("progress", ({ detail }) => told.push(detail.photo.state.progress));
  queue.add(["a"]);
  ask.questions.get("a").onProgress(0.5);
  await finish(ask, "a", {});
  assert.deepEqual(told, ["added 1", "asking", 0.5, "answered"]);
});

test("a photo that is refused does not hold up the others and is not asked about again", async () => {
  const ask = answerer();
  const queue = new PhotoQueue(ask);
  queue.add(["a", "b", "c", "d"]);
  await finish(ask, "a", { problem: new Problem(415) });
  assert.equal(kinds(queue), "failed asking asking asking");
  assert.equal(queue.photos[0].state.retryAt, null);
  assert.equal(isPending(queue.photos[0]), false);
});

test("a busy service is asked again when it said so, by one photo first and then by the others", async () => {
  const ask = answerer();
  const queue = new PhotoQueue(ask);
  queue.add(["a", "b", "c", "d"]);
  for (const name of ["a", "b", "c"]) await finish(ask, name, { problem: new Problem(429, { retryAfterSeconds: 7 }) });
  assert.equal(kinds(queue), "failed failed failed waiting");
  assert.deepEqual(queue.photos.slice(0, 3).map(({ state }) => state.retryAt), [7000, 7000, 7000]);
  mock.timers.tick(6999);
  assert.equal(ask.questions.size, 0, "nobody asks before");
  mock.timers.tick(1);
  assert.deepEqual([...ask.questions.keys()], ["a"]);
  await finish(ask, "a", {});
  assert.deepEqual([...ask.questions.keys()], ["b", "c", "d"]);
});

test("a service that stays away is asked again and again, ever more seldom, but at least every half minute", async () => {
  const ask = answerer();
  const queue = new PhotoQueue(ask);
  queue.add(["a"]);
  const waits = [];
  for (let tries = 0; tries < 7; tries += 1) {
    await finish(ask, "a", { problem: new Problem("network") });
    const wait = queue.photos[0].state.retryAt - Date.now();
    waits.push(wait / 1000);
    mock.timers.tick(wait);
  }
  assert.deepEqual(waits, [2, 4, 8, 16, 30, 30, 30]);
  await finish(ask, "a", {});
  queue.askAgain(queue.photos);
  await finish(ask, "a", { problem: new Problem(502) });
  assert.equal(queue.photos[0].state.retryAt - Date.now(), 2000, "an answer ends the outage");
});

test("a photo that takes too long is tried a few times, as it may be to blame itself", async () => {
  const ask = answerer();
  const queue = new PhotoQueue(ask);
  queue.add(["a"]);
  for (let tries = 0; tries < 3; tries += 1) {
    await finish(ask, "a", { problem: new Problem(504) });
    assert.ok(isPending(queue.photos[0]));
    queue.goOn();
  }
  await finish(ask, "a", { problem: new Problem(504) });
  assert.equal(isPending(queue.photos[0]), false);
});

test("when the connection is back nobody waits any longer", async () => {
  const ask = answerer();
  const queue = new PhotoQueue(ask);
  queue.add(["a"]);
  await finish(ask, "a", { problem: new Problem("network") });
  queue.goOn();
  assert.equal(kinds(queue), "asking");
  mock.timers.tick(60_000);
  assert.equal(ask.questions.size, 1, "and nobody asks twice");
});

test("what is cancelled stays, is given up on the way, and can be asked about again", async () => {
  const ask = answerer();
  const queue = new PhotoQueue(ask);
  queue.add(["a", "b", "c", "d"]);
  const { signal } = ask.questions.get("a");
  queue.cancel([queue.photos[0]]);
  await settle();
  assert.ok(signal.aborted);
  assert.equal(kinds(queue), "cancelled asking asking asking");
  queue.cancel(queue.photos);
  await settle();
  assert.equal(kinds(queue), "cancelled cancelled cancelled cancelled");
  ask.questions.clear();
  queue.askAgain([queue.photos[3]]);
  assert.deepEqual([...ask.questions.keys()], ["d"]);
});

test("what is answered cannot be cancelled", async () => {
  const ask = answerer();
  const queue = new PhotoQueue(ask);
  queue.add(["a"]);
  await finish(ask, "a", {});
  queue.cancel(queue.photos);
  assert.equal(kinds(queue), "answered");
});

test("what is removed is forgotten, and its late answer with it", async () => {
  const ask = answerer();
  const queue = new PhotoQueue(ask);
  queue.add(["a", "b"]);
  const [first] = queue.photos;
  const { signal, resolve } = ask.questions.get("a");
  queue.remove([first]);
  resolve({ label: "cat" });
  await settle();
  assert.ok(signal.aborted);
  assert.equal(queue.get(first.id), null);
  assert.equal(kinds(queue), "asking");
});

test("a late answer to an older question is dropped", async () => {
  const ask = answerer();
  const queue = new PhotoQueue(ask);
  queue.add(["a"]);
  const { resolve } = ask.questions.get("a");
  queue.askAgain(queue.photos);
  resolve({ label: "old" });
  await settle();
  assert.equal(kinds(queue), "asking");
  await finish(ask, "a", { answer: { label: "new" } });
  assert.equal(queue.photos[0].state.prediction.label, "new");
});

test("a new photo does not wait for an outage to end", async () => {
  const ask = answerer();
  const queue = new PhotoQueue(ask);
  queue.add(["a"]);
  await finish(ask, "a", { problem: new Problem(503, { retryAfterSeconds: 60 }) });
  queue.add(["b"]);
  assert.deepEqual([...ask.questions.keys()], ["a"], "but the first one asks first");
  await finish(ask, "a", {});
  assert.deepEqual([...ask.questions.keys()], ["b"]);
});

test("two hundred photos are all answered", async () => {
  let most = 0;
  let open = 0;
  const queue = new PhotoQueue(async () => {
    open += 1;
    most = Math.max(most, open);
    await settle();
    open -= 1;
    return { label: "cat" };
  });
  queue.add(Array.from({ length: 200 }, (_, index) => String(index)));
  while (queue.photos.some(isPending)) await settle();
  assert.equal(most, 3);
  assert.ok(queue.photos.every(({ state }) => state.kind === "answered"));
});
