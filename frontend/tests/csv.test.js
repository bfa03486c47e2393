import assert from "node:assert/strict";
import { test } from "node:test";
import { csv } from "../lib/csv.js";

test("numbers are written as they are, and what is missing as nothing, not as 0", () => {
  assert.equal(csv({ columns: ["time", "p50_ms"], rows: [["t", 1.5], ["u", null], ["v", 0]] }), "time,p50_ms\r\nt,1.5\r\nu,\r\nv,0\r\n");
});

test("a field with a comma, a quote or a line break is quoted", () => {
  assert.equal(csv({ columns: ["a"], rows: [["1,5"], ['"x"'], ["two\nlines"]] }), 'a\r\n"1,5"\r\n"""x"""\r\n"two\nlines"\r\n');
});

test("without rows there are still the names", () => assert.equal(csv({ columns: ["a", "b"], rows: [] }), "a,b\r\n"));

test("text that a spreadsheet would run as a formula is made harmless, and numbers stay numbers", () => {
  const texts = ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", '=HYPERLINK("http://elsewhere.invalid")'];
  const fields = csv({ columns: ["a"], rows: texts.map((text) => [text]) }).split("\r\n").slice(1, -1);
  assert.deepEqual(fields, ["'=1+1", "'+1", "'-1+2", "'@SUM(A1)", "'\t=1", '"\'=HYPERLINK(""http://elsewhere.invalid"")"']);
  assert.equal(csv({ columns: ["a"], rows: [[-0.5], ["non-cat"], [false]] }), "a\r\n-0.5\r\nnon-cat\r\nfalse\r\n");
});
