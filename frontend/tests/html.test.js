import assert from "node:assert/strict";
import { test } from "node:test";
import { html, render, update } from "../lib/html.js";

test("every value is escaped, in text and in a quoted attribute", () => {
  const name = `"><img src=x onerror='alert(1)'>&`;
  const escaped = "&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;";
  assert.equal(String(html`<p title="${name}">${name}</p>`), `<p title="${escaped}">${escaped}</p>`);
});

test("what html made is not escaped again, alone or in an array", () => {
  const items = ["a<b", "c"].map((item) => html`<li>${item}</li>`);
  assert.equal(String(html`<ul>${items}</ul>`), "<ul><li>a&lt;b</li><li>c</li></ul>");
});

test("strings in an array are escaped", () => {
  assert.equal(String(html`${["<i>", "&"]}`), "&lt;i&gt;&amp;");
});

test("nothing leaves nothing behind, and zero is something", () => {
  assert.equal(String(html`[${null}${undefined}${false}${0}]`), "[0]");
});

test("an object that only looks like made by html is escaped", () => {
  assert.equal(String(html`${{ text: "<b>", toString: () => "<i>" }}`), "&lt;i&gt;");
});

test("render takes no plain string", () => {
  assert.throws(() => render({}, "<b>"), TypeError);
});

test("an update writes only what has changed, so that a selection in it stays", () => {
  const written = [];
  const element = { set innerHTML(text) { written.push(text); } };
  for (const word of ["one", "one", "two"]) update(element, html`<b>${word}</b>`);
  assert.deepEqual(written, ["<b>one</b>", "<b>two</b>"]);
  render(element, html`three`);
  update(element, html`<b>two</b>`);
  assert.deepEqual(written.slice(2), ["three", "<b>two</b>"]);
  assert.throws(() => update(element, "<b>text</b>"), TypeError);
});
