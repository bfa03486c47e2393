import assert from "node:assert/strict";
import { test } from "node:test";
import { Preference } from "../lib/preferences.js";
import { AnswerHistory } from "../photos/answer-history.js";

function storage(texts = {}) {
  const kept = new Map(Object.entries(texts));
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, text) => kept.set(key, text),
    removeItem: (key) => kept.delete(key),
  };
}

function refusing() {
  const refuse = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  return { getItem: refuse, setItem: refuse, removeItem: refuse };
}

const entry = (name) => ({ time: 1, name, thumbnail: null, label: "cat", cat_probability: 0.9, certain: true, model: "mlp 1" });
const names = ({ entries }) => entries.map(({ name }) => name);

test("what is switched off stays so", () => {
  const place = storage();
  const preference = new Preference("shrinks", true, place);
  assert.equal(preference.value, true);
  preference.value = false;
  assert.equal(new Preference("shrinks", true, place).value, false);
});

test("a switch works for the visit where nothing can be kept", () => {
  for (const place of [refusing(), null]) {
    const preference = new Preference("shrinks", true, place);
    preference.value = false;
    assert.equal(preference.value, false);
  }
});

test("a preference that makes no sense is the default", () => {
  assert.equal(new Preference("shrinks", true, storage({ "catnet.shrinks": "maybe" })).value, true);
});

test("answers are remembered, the newest first, in the next visit too", () => {
  const place = storage();
  const answers = new AnswerHistory(place);
  answers.add(entry("first"));
  answers.add(entry("second"));
  assert.deepEqual(names(new AnswerHistory(place)), ["second", "first"]);
});

test("no more than fifty are remembered", () => {
  const place = storage();
  const answers = new AnswerHistory(place);
  for (let index = 0; index < 60; index += 1) answers.add(entry(String(index)));
  assert.equal(new AnswerHistory(place).entries.length, 50);
  assert.equal(answers.entries[0].name, "59");
});

test("what another tab has added is kept", () => {
  const place = storage();
  const [one, other] = [new AnswerHistory(place), new AnswerHistory(place)];
  one.add(entry("one"));
  other.add(entry("other"));
  assert.deepEqual(names(other), ["other", "one"]);
});

test("what is forgotten is gone from the browser", () => {
  const place = storage();
  const answers = new AnswerHistory(place);
  answers.add(entry("secret"));
  answers.clear();
  assert.deepEqual(answers.entries, []);
  assert.equal(place.kept.size, 0);
});

test("answers last for the visit where nothing can be kept", () => {
  for (const place of [refusing(), null]) {
    const answers = new AnswerHistory(place);
    answers.add(entry("first"));
    answers.add(entry("second"));
    assert.deepEqual(names(answers), ["second", "first"]);
    answers.clear();
    assert.deepEqual(answers.entries, []);
  }
});

test("what is no answer is left out, whoever wrote it there", () => {
  const strange = [null, 7, {}, { ...entry("no probability"), cat_probability: null }, { ...entry("script"), thumbnail: "javascript:alert(1)" }];
  const texts = ["", "{", "null", "7", JSON.stringify(strange)];
  for (const text of texts) assert.deepEqual(new AnswerHistory(storage({ "catnet.history": text })).entries, []);
  assert.deepEqual(names(new AnswerHistory(storage({ "catnet.history": JSON.stringify([...strange, entry("ours")]) }))), ["ours"]);
});
