import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../api/problem.js";
import { addressWith } from "../lib/address.js";
import { referenceSentence } from "../lib/drift-words.js";
import { wholePercent } from "../lib/format.js";
import { dropReasons, pipelineVerdict } from "../lib/pipeline-words.js";
import { connectionWords } from "../lib/problem-words.js";
import { NO_FILTER, filterFromAddress, isFiltering, matches, saidOf } from "../lib/recent-filter.js";
import { reportWords } from "../lib/report-words.js";

test("an address is changed where asked, and left as it is elsewhere", () => {
  const address = { pathname: "/dashboard", search: "?window=1h&answer=cat" };
  assert.equal(addressWith(address, { window: "24h", model: "cnn/2" }), "/dashboard?window=24h&answer=cat&model=cnn%2F2");
  assert.equal(addressWith({ ...address, hash: "#main" }, { answer: "", window: null }), "/dashboard#main");
});

const PREDICTION = { label: "cat", certain: true, confidence: 0.8, feedback: null };
const filtered = (changes, prediction = {}) => matches({ ...PREDICTION, ...prediction }, { ...NO_FILTER, ...changes });

test("without a filter every prediction is shown", () => {
  assert.equal(isFiltering(NO_FILTER), false);
  assert.equal(filtered({}), true);
});

test("predictions are told apart by answer, by certainty and by what people said", () => {
  assert.deepEqual([filtered({ answer: "cat" }), filtered({ answer: "non-cat" })], [true, false]);
  assert.deepEqual([filtered({ sure: "yes" }), filtered({ sure: "no" })], [true, false]);
  for (const [feedback, said] of [[null, "nothing"], ["cat", "right"], ["non-cat", "wrong"]]) {
    assert.equal(saidOf({ ...PREDICTION, feedback }), said);
    for (const asked of ["nothing", "right", "wrong"]) assert.equal(filtered({ said: asked }, { feedback }), asked === said);
  }
});

test("the limits of the confidence are percent, and belong to what is shown", () => {
  assert.deepEqual(["79", "80", "80.01", "81"].map((min) => filtered({ min })), [true, true, false, false]);
  assert.deepEqual(["79", "80", "81"].map((max) => filtered({ max })), [false, true, true]);
  assert.equal(filtered({ min: "70", max: "75" }), false);
});

test("the address names the filter, and what makes no sense in it asks for nothing", () => {
  const filter = filterFromAddress("?window=1h&answer=non-cat&sure=no&said=wrong&min=60&max=99.5");
  assert.deepEqual(filter, { answer: "non-cat", sure: "no", said: "wrong", min: "60", max: "99.5" });
  assert.equal(isFiltering(filter), true);
  for (const search of ["", "?answer=dog&sure=maybe&said=", "?min=high&max=1e9", "?min=-1&max=101", "?answer=__proto__"]) {
    assert.deepEqual(filterFromAddress(search), { ...NO_FILTER });
  }
});

test("a report says which model and which time it is about", () => {
  const report = { model: { name: "catnet", version: "1" }, window: { seconds: 3600, start: "2026-01-01T10:00:00Z", end: "2026-01-01T11:00:09Z" } };
  assert.match(reportWords(report), /^catnet\/1, \d\d:\d\d to \d\d:\d\d$/);
  assert.match(reportWords({ ...report, window: { ...report.window, seconds: 86_400 } }), /1 Jan, \d\d:\d\d to /);
});

test("what is compared with is said: the model's own pictures, or traffic that the operator chose", () => {
  const manifest = { source: "manifest", adopted_at: null, start: null, end: null, events: null };
  assert.match(referenceSentence(manifest), /tested with/);
  const traffic = { source: "traffic", adopted_at: "2026-01-03T00:00:00Z", start: "2026-01-01T00:00:00Z", end: "2026-01-02T00:00:00Z", events: 4800 };
  assert.match(referenceSentence(traffic), /4,800 predictions from \d+ \w+, \d\d:\d\d to \d+ \w+, \d\d:\d\d/);
});

test("dropped predictions have their reasons, the most frequent first", () => {
  assert.equal(dropReasons({ shutdown: 1, buffer_full: 12, other: 0 }), "buffer full 12, shutdown 1");
  assert.equal(dropReasons({}), "given up by the service");
});

test("a watcher is told what is away and that the page tries again, but for a model that there is not", () => {
  for (const reason of [429, 500, 502, 503, 504, "network", "timeout"]) assert.match(connectionWords(new Problem(reason)), /Trying again by itself\.$/);
  assert.match(connectionWords(new Problem(404)), /such a model/);
  assert.doesNotMatch(connectionWords(new Problem(404)), /Trying/);
});

test("marks of an axis have no digits that say nothing", () => assert.equal(wholePercent(0.2), "20\u202f%"));

test("one prediction is spoken of as one", () => {
  const counted = { answered: 9, balanced: true, lag: 0, pending: 0, buffered: 0, dropped: 0, lost: 0 };
  assert.match(pipelineVerdict({ ...counted, lag: 1 }).words, /^1 prediction is on its way /);
  assert.match(pipelineVerdict({ ...counted, lag: 1, pending: 1 }).words, /^2 predictions are on their way /);
  assert.match(pipelineVerdict({ ...counted, lost: 1 }).words, /^1 prediction was answered /);
});
