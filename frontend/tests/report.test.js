import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../api/problem.js";
import { fetchReport, followReports, streamReports } from "../api/report.js";

async function gathered(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

const REPORT = { predictions: { total: 1 } };

function streamOf(text) {
  return new Response(text, { headers: { "Content-Type": "text/event-stream" } });
}

const QUESTION = { window: "1h", model: null };

test("a report is asked for by its window, and by its model if that is not the default one", async () => {
  const asked = [];
  const fetch = async (url) => {
    asked.push(url);
    return Response.json(REPORT);
  };
  assert.deepEqual(await fetchReport({ window: "24h", model: null }, { fetch }), REPORT);
  await fetchReport({ window: "24h", model: "cnn/2" }, { fetch });
  assert.deepEqual(asked, ["/api/monitor/report?window=24h", "/api/monitor/report?window=24h&model=cnn%2F2"]);
});

test("a stream brings reports, and null for its heartbeats", async () => {
  const fetch = async () => streamOf(`event: report\ndata: ${JSON.stringify(REPORT)}\n\n: heartbeat\n\n`);
  assert.deepEqual(await gathered(streamReports(QUESTION, { fetch })), [REPORT, null]);
});

test("a stream whose events make no sense is a problem, not a crash", async () => {
  const fetch = async () => streamOf("event: report\ndata: {broken\n\n");
  await assert.rejects(gathered(streamReports(QUESTION, { fetch })), { name: "Problem", reason: "unreadable" });
});

test("a stream that is refused is a problem with its status", async () => {
  const fetch = async () => new Response("", { status: 502 });
  await assert.rejects(gathered(streamReports(QUESTION, { fetch })), { name: "Problem", reason: 502 });
});

test("a stream that never says anything is given up", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const fetch = async (url, { signal }) => {
    const body = new ReadableStream({ start: (controller) => signal.addEventListener("abort", () => controller.error(signal.reason)) });
    queueMicrotask(() => context.mock.timers.tick(5_000));
    return new Response(body);
  };
  await assert.rejects(gathered(streamReports(QUESTION, { fetch })), { name: "Problem", reason: "timeout" });
});

/** The first `count` updates of followReports over streams and polls that are given one by one. */
async function updates(count, { streams, polls }) {
  const aborting = new AbortController();
  const waits = [];
  const seams = {
    signal: aborting.signal,
    stream: async function* () {
      for (const item of streams.shift() ?? []) {
        if (item instanceof Error) throw item;
        yield item;
      }
    },
    poll: async () => {
      const item = polls.shift();
      if (item instanceof Error) throw item;
      return item;
    },
    wait: async (seconds) => waits.push(seconds),
  };
  const seen = [];
  for await (const update of followReports(QUESTION, seams)) {
    seen.push([update.connection, update.report, update.problem?.reason ?? null]);
    if (seen.length === count) aborting.abort();
  }
  return { seen, waits };
}

test("while the stream runs its reports are live, and so is the one that is asked for at a heartbeat", async () => {
  const newer = { predictions: { total: 1, per_second: 0.1 } };
  const { seen } = await updates(2, { streams: [[REPORT, null]], polls: [newer] });
  assert.deepEqual(seen, [["live", REPORT, null], ["live", newer, null]]);
});

test("a stream that only beats, while the monitor has no numbers, is not taken for current ones", async () => {
  const { seen } = await updates(3, { streams: [[REPORT, null, REPORT]], polls: [new Problem(503)] });
  assert.deepEqual(seen, [["live", REPORT, null], ["lost", null, 503], ["live", REPORT, null]]);
});

test("when the stream breaks the report is polled at once, then the stream is tried again after a pause", async () => {
  const { seen, waits } = await updates(3, { streams: [[REPORT, new Problem("network")], [REPORT]], polls: [REPORT] });
  assert.deepEqual(seen.map(([connection]) => connection), ["live", "polling", "live"]);
  assert.deepEqual(waits, [5]);
});

test("a stream that the server ends is as good as broken", async () => {
  const { seen } = await updates(2, { streams: [[REPORT], [REPORT]], polls: [new Problem(503)] });
  assert.deepEqual(seen, [["live", REPORT, null], ["lost", null, 503]]);
});

test("a connection that is lost is found again", async () => {
  const gone = () => [new Problem("network")];
  const { seen } = await updates(3, { streams: [gone(), gone(), [REPORT]], polls: [new Problem("network"), new Problem("timeout")] });
  assert.deepEqual(seen, [["lost", null, "network"], ["lost", null, "timeout"], ["live", REPORT, null]]);
});

test("a defect is not taken for a lost connection", async () => {
  await assert.rejects(updates(1, { streams: [[new ReferenceError("defect")]], polls: [] }), ReferenceError);
});
