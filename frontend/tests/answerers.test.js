import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceAnswerer } from "../answerers/device.js";
import { switchedAnswerer } from "../answerers/switched.js";
import { Problem } from "../api/problem.js";
import { modelNamed } from "../lib/model-choice.js";

const { signal } = new AbortController();
const named = (name) => Object.assign(new Error(), { name });

/** Models that answer with their name, and tell what became of them. */
function models({ fault = () => null } = {}) {
  const told = [];
  const load = async (name) => {
    told.push(`load ${name}`);
    const problem = fault(name, told.length);
    if (problem) throw problem;
    return { predictPhoto: async () => ({ prediction_id: null, model: name }), close: () => told.push(`close ${name}`) };
  };
  return { told, load };
}

test("a model is loaded once, and closed for another", async () => {
  const { told, load } = models();
  const device = deviceAnswerer({ load });
  for (const model of [null, null, "other"]) assert.equal((await device.predict(new Blob(), { model, signal })).model, model);
  await null;
  assert.deepEqual(told.sort(), ["close null", "load null", "load other"]);
});

test("a model that could not be had is tried again for the next photo", async () => {
  const { load } = models({ fault: (name, time) => time === 1 && new Problem("network") });
  const device = deviceAnswerer({ load });
  await assert.rejects(device.predict(new Blob(), { signal }), { reason: "network" });
  assert.equal((await device.predict(new Blob(), { signal })).prediction_id, null);
});

for (const [name, reason] of [["UnreadablePhoto", "undecodable"], ["DamagedModel", "unreadable"]]) {
  test(`${name} is a problem that has its words`, async () => {
    const device = deviceAnswerer({ load: models({ fault: () => named(name) }).load });
    await assert.rejects(device.predict(new Blob(), { signal }), { name: "Problem", reason });
  });
}

test("what nobody wants any more is not answered", async () => {
  const asking = new AbortController();
  const device = deviceAnswerer({ load: models().load });
  const answer = device.predict(new Blob(), { signal: asking.signal });
  asking.abort();
  await assert.rejects(answer, { name: "AbortError" });
});

test("the device is asked only once it is switched on, and fetched only then", async () => {
  const onDevice = { value: false };
  const told = [];
  const answering = (name) => ({ predict: async () => name, explain: () => name, giveFeedback: () => name });
  const loadDevice = async () => {
    told.push("fetched");
    return answering("device");
  };
  const answerer = switchedAnswerer({ onDevice, service: answering("service"), loadDevice });
  assert.equal(await answerer.predict(), "service");
  assert.equal(answerer.explain(), "service");
  assert.deepEqual(told, []);
  onDevice.value = true;
  assert.equal(await answerer.predict(), "device");
  assert.equal(await answerer.predict(), "device");
  assert.deepEqual(told, ["fetched"]);
  assert.equal(answerer.explain, null);
});

test("what the device needs is fetched again where it did not arrive", async () => {
  let times = 0;
  const loadDevice = async () => {
    times += 1;
    if (times === 1) throw new Problem("network");
    return { predict: async () => "device", prepare: async () => true };
  };
  const answerer = switchedAnswerer({ onDevice: { value: true }, service: {}, loadDevice });
  await assert.rejects(answerer.prepareDevice({}), { reason: "network" });
  assert.equal(await answerer.prepareDevice({}), true);
  assert.equal(await answerer.predict(), "device");
  assert.equal(times, 2);
});

test("a model that is prepared is there for the first photo, and its failure has its words", async () => {
  const { told, load } = models({ fault: (name) => name === "broken" && named("DamagedModel") });
  const device = deviceAnswerer({ load });
  assert.equal(await device.prepare({ model: null }), false); // node keeps nothing
  await device.predict(new Blob(), { signal });
  assert.deepEqual(told, ["load null"]);
  await assert.rejects(device.prepare({ model: "broken" }), { name: "Problem", reason: "unreadable" });
});

test("a model is found by its name, its version, or as the default", () => {
  const served = [{ name: "a", version: "1" }, { name: "a", version: "2" }, { name: "b", version: "1", default: true }];
  assert.equal(modelNamed(served, "a"), served[1]);
  assert.equal(modelNamed(served, "a/1"), served[0]);
  assert.equal(modelNamed(served, null), served[2]);
  assert.equal(modelNamed(served, "c"), undefined);
});
