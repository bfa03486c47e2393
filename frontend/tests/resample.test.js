import assert from "node:assert/strict";
import { test } from "node:test";
import { centredSquare } from "../network/resample.js";

const picture = (width, height, pixel, stride = 3) => ({
  width,
  height,
  stride,
  values: Uint8Array.from({ length: width * height * stride }, (_, index) => pixel(Math.floor(index / stride) % width, Math.floor(index / stride / width), index % stride)),
});

test("a picture of the size wanted stays as it is, whatever else a pixel holds", () => {
  const small = picture(64, 64, (x, y, colour) => (colour === 3 ? 255 : (x * 3 + y * 5 + colour * 7) % 256), 4);
  assert.deepEqual([...centredSquare(small, 64)], [...small.values].filter((_, index) => index % 4 < 3));
});

for (const [width, height] of [[64, 64], [1, 1], [100, 37], [300, 200], [257, 1000]]) {
  test(`one colour stays one colour, from ${width} x ${height}`, () => {
    const pixels = centredSquare(picture(width, height, (x, y, colour) => [10, 128, 255][colour]), 64);
    assert.equal(pixels.length, 64 * 64 * 3);
    assert.ok(pixels.every((value, index) => value === [10, 128, 255][index % 3]));
  });
}

test("what is beside the centred square does not show", () => {
  const wide = picture(400, 100, (x) => (x < 130 || x >= 270 ? 255 : 0)); // the square is 150..250, and the antialiasing reaches a little further
  assert.ok(centredSquare(wide, 64).every((value) => value === 0));
});

test("left stays left and top stays top", () => {
  const pixels = centredSquare(picture(128, 128, (x, y, colour) => (colour === 0 ? x : y)), 64);
  const at = (x, y, colour) => pixels[(y * 64 + x) * 3 + colour];
  assert.ok(at(5, 40, 0) < at(50, 40, 0));
  assert.ok(at(40, 5, 1) < at(40, 50, 1));
});
