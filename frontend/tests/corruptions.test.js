import assert from "node:assert/strict";
import { test } from "node:test";
import { CORRUPTIONS, HARMLESS, corrupted } from "../network/corruptions.js";

const SIZE = 8;
const pixels = Uint8ClampedArray.from({ length: SIZE * SIZE * 3 }, (_, index) => (index * 37) % 256);
const apply = (strengths, recompress) => corrupted(pixels, { ...HARMLESS, ...strengths }, { recompress });
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const spread = (values) => Math.sqrt(mean(Array.from(values, (value) => (value - mean(values)) ** 2)));

test("where all is harmless nothing is done", async () => assert.equal(await apply({}), pixels));

test("every strength of every corruption gives pixels", async () => {
  for (const { name, minimum, maximum } of CORRUPTIONS) {
    for (const strength of [minimum, (minimum + maximum) / 2, maximum]) {
      const changed = await apply({ [name]: strength }, async (values) => values);
      assert.equal(changed.length, pixels.length, name);
      assert.ok(changed instanceof Uint8ClampedArray, name);
    }
  }
});

test("darkness goes to black", async () => {
  assert.ok((await apply({ darkness: 100 })).every((value) => value === 0));
  assert.ok(Math.abs(mean(await apply({ darkness: 50 })) - mean(pixels) / 2) < 1);
});

test("blur takes the contrast and leaves the brightness", async () => {
  const changed = await apply({ blur: 2 });
  assert.ok(spread(changed) < spread(pixels) / 2);
  assert.ok(Math.abs(mean(changed) - mean(pixels)) < 12);
});

test("noise is the same each time, and more of it is more", async () => {
  assert.deepEqual(await apply({ noise: 20 }), await apply({ noise: 20 }));
  const difference = async (strength) => mean(Array.from(await apply({ noise: strength }), (value, index) => Math.abs(value - pixels[index])));
  assert.ok((await difference(40)) > (await difference(10)));
});

test("half a turn turns the picture upside down, and both ways are the same", async () => {
  const turned = await apply({ rotation: 180 });
  for (let place = 0; place < SIZE * SIZE; place++) {
    for (let colour = 0; colour < 3; colour++) {
      assert.ok(Math.abs(turned[place * 3 + colour] - pixels[(SIZE * SIZE - 1 - place) * 3 + colour]) <= 1);
    }
  }
  assert.deepEqual(turned, await apply({ rotation: -180 }));
});

test("a quarter turn to the right brings the left edge to the top", async () => {
  const turned = await apply({ rotation: 90 });
  for (let place = 0; place < SIZE; place++) {
    const [top, left] = [turned[(SIZE - 1 - place) * 3], pixels[place * SIZE * 3]];
    assert.ok(Math.abs(top - left) <= 1, `${place}: ${top} and ${left}`);
  }
});

test("the compression comes last, at the quality asked for", async () => {
  const asked = [];
  const recompress = async (values, quality) => {
    asked.push([mean(values), quality]);
    return values;
  };
  await apply({ darkness: 100, quality: 10 }, recompress);
  assert.deepEqual(asked, [[0, 10]]);
});
