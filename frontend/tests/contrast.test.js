import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("../styles/variables.css", import.meta.url), "utf8");
const [light, dark] = css.split("@media screen and (prefers-color-scheme: dark)").map(
  (part) => Object.fromEntries([...part.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value])),
);

/** Source: WCAG 2.2, relative luminance and contrast ratio. */
function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const value = parseInt(colour.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [lighter, darker] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

const TEXTS = ["ink", "ink-quiet", "accent", "cat-text", "non-cat-text", "unsure-text", "positive", "caution", "negative"];
const GRAPHICS = ["cat", "non-cat", "measure", "measure-high", "line-strong", "focus"];

test("black on white is 21 to 1", () => assert.equal(contrast("#000000", "#ffffff"), 21));

for (const [scheme, colours] of [["light", light], ["dark", dark]]) {
  for (const ground of ["page", "surface", "well"]) {
    for (const text of TEXTS) {
      test(`${scheme}: text in --${text} can be read on --${ground}`, () => {
        assert.ok(contrast(colours[text], colours[ground]) >= 4.5, `${contrast(colours[text], colours[ground])}`);
      });
    }
  }
  for (const graphic of GRAPHICS) {
    test(`${scheme}: what is drawn in --${graphic} can be seen on --surface`, () => {
      assert.ok(contrast(colours[graphic], colours.surface) >= 3, `${contrast(colours[graphic], colours.surface)}`);
    });
  }
  test(`${scheme}: text on the accent colour can be read`, () => assert.ok(contrast(colours["accent-ink"], colours.accent) >= 4.5));
}
