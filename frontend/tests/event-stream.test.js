import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStreamParser, readEvents } from "../lib/event-stream.js";

async function gathered(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

const parse = (...chunks) => {
  const parser = new EventStreamParser();
  return chunks.flatMap((chunk) => [...parser.push(chunk)]);
};

test("an event is its type and its data", () => {
  assert.deepEqual(parse("event: report\ndata: {}\n\n"), [{ type: "report", data: "{}" }]);
});

test("data of several lines is joined, with or without the space", () => {
  assert.deepEqual(parse("data: a\ndata:b\ndata\n\n"), [{ type: "message", data: "a\nb\n" }]);
});

test("a heartbeat comment is a sign of life and does not end an event", () => {
  assert.deepEqual(parse("event: report\n: heartbeat\ndata: 1\n\n"), [{ type: "comment" }, { type: "report", data: "1" }]);
});

test("an event without data is none, and does not lend its type to the next", () => {
  assert.deepEqual(parse("event: report\n\ndata: 1\n\n"), [{ type: "message", data: "1" }]);
});

test("ids, retries and unknown fields are passed over", () => {
  assert.deepEqual(parse("id: 7\nretry: 10\nodd: field\ndata: 1\n\n"), [{ type: "message", data: "1" }]);
});

test("an event that never ends is not gathered without bound", () => {
  const parser = new EventStreamParser();
  const line = `data: ${"x".repeat(999_990)}\n`;
  assert.throws(() => { for (let i = 0; i < 10; i += 1) [...parser.push(line)]; }, RangeError);
});

test("the same events come out wherever the chunks are cut and however lines end", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const text = ["event: report", "data: één", "", ": beat", "data: 2", "", "data: 3", "", ""].join(end);
    const whole = parse(text + "\n");
    assert.equal(whole.length, 4, JSON.stringify(end));
    for (let cut = 0; cut <= text.length; cut += 1) assert.deepEqual(parse(text.slice(0, cut), text.slice(cut), "\n"), whole, `${JSON.stringify(end)} cut at ${cut}`);
    assert.deepEqual(parse(...text, "\n"), whole);
  }
});

test("a body is read to its end, characters cut in two included", async () => {
  const bytes = new TextEncoder().encode("event: report\ndata: é\n\n");
  const body = new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  assert.deepEqual(await gathered(readEvents(body)), [{ type: "report", data: "é" }]);
});
