import assert from "node:assert/strict";
import { test } from "node:test";
import { MISSING, bytes, clockTime, count, counted, decimal, duration, milliseconds, pValue, perSecond, percent } from "../lib/format.js";

const plain = (text) => text.replaceAll("\u202f", " ");

test("what an empty window does not have reads as missing, never as NaN or 0", () => {
  for (const format of [count, percent, milliseconds, perSecond, decimal, pValue, duration, bytes]) {
    for (const nothing of [null, undefined, NaN, Infinity, "3"]) assert.equal(format(nothing), MISSING, `${format.name}(${nothing})`);
  }
  for (const nothing of [null, undefined, "yesterday"]) assert.equal(clockTime(nothing), MISSING);
});

test("a percentage never rounds up to certainty or down to impossibility", () => {
  const fractions = [0, 0.0001, 0.0005, 0.5, 0.962, 0.9995, 0.99951, 0.999999, 1];
  const words = ["0 %", "< 0.1 %", "0.1 %", "50.0 %", "96.2 %", "> 99.9 %", "> 99.9 %", "> 99.9 %", "100 %"];
  assert.deepEqual(fractions.map((fraction) => plain(percent(fraction))), words);
});

test("a latency keeps three significant digits, and no more than microseconds", () => {
  assert.deepEqual(
    [0, 0.0004, 0.41234, 6.04, 14.24, 183.4, 1834.2].map((value) => plain(milliseconds(value))),
    ["0 ms", "0.000 ms", "0.412 ms", "6.04 ms", "14.2 ms", "183 ms", "1,834 ms"],
  );
});

test("counts are grouped", () => assert.equal(count(1234567), "1,234,567"));

test("one thing is not several", () => {
  const words = [null, 0, 1, 2000].map((value) => counted(value, "cat", "cats"));
  assert.deepEqual(words, [`${MISSING} cats`, "0 cats", "1 cat", "2,000 cats"]);
});

test("a rate that is not zero does not read as zero", () => {
  assert.equal(perSecond(0), "0 a second");
  assert.equal(plain(perSecond(0.0004)), "< 0.01 a second");
  assert.equal(perSecond(12.345), "12.35 a second");
});

test("a duration is said in its largest unit", () => {
  assert.deepEqual([0, 0.9, 1, 59, 60, 7199, 7200, 172800].map(duration), [
    "0 seconds", "0 seconds", "1 second", "59 seconds", "1 minute", "1 hour", "2 hours", "2 days",
  ]);
});

test("sizes are said in the unit people know", () => {
  assert.deepEqual([5, 18_400, 999_499, 999_500, 20_000_000].map((size) => plain(bytes(size))), ["5 bytes", "18 KB", "999 KB", "1 MB", "20 MB"]);
});

test("p-values below what the test can tell are said to be below it", () => {
  assert.equal(plain(pValue(0.0004)), "< 0.001");
  assert.equal(pValue(0.04), "0.040");
});

test("times are shown on the visitor's clock", () => {
  const time = "2026-03-01T23:05:09.123456Z";
  assert.equal(clockTime(time, { timeZone: "UTC" }), "23:05:09");
  assert.equal(clockTime(time, { precision: "minute", timeZone: "Asia/Tokyo" }), "08:05");
  assert.equal(clockTime(time, { precision: "day and minute", timeZone: "UTC" }), "1 Mar, 23:05");
});
