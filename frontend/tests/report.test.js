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

test("the report of a window is asked for by its name", async () => {
  let asked;
  const fetch = async (url) => {
    asked = url;
    return Response.json(REPORT);
  };
  assert.deepEqual(await fetchReport("24h", { fetch }), REPORT);
  assert.equal(asked, "/api/monitor/report?window=24h");
});

test("a stream brings reports, and null for its heartbeats", async () => {
  const fetch = async () => streamOf(`event: report\ndata: ${JSON.stringify(REPORT)}\n\n: heartbeat\n\n`);
  assert.deepEqual(await gathered(streamReports("1h", { fetch })), [REPORT, null]);
});

test("a stream whose events make no sense is a problem, not a crash", async () => {
  const fetch = async () => streamOf("event: report\ndata: {broken\n\n");
  await assert.rejects(gathered(streamReports("1h", { fetch })), { name: "Problem", reason: "unreadable" });
});

test("a stream that is refused is a problem with its status", async () => {
  const fetch = async () => new Response("", { status: 502 });
  await assert.rejects(gathered(streamReports("1h", { fetch })), { name: "Problem", reason: 502 });
});

test("a stream that never says anything is given up", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const fetch = async (url, { signal }) => {
    const body = new ReadableStream({ start: (controller) => signal.addEventListener("abort", () => controller.error(signal.reason)) });
    queueMicrotask(() => context.mock.timers.tick(5_000));
    return new Response(body);
  };
  await assert.rejects(gathered(streamReports("1h", { fetch })), { name: "Problem", reason: "timeout" });
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
  for await (const update of followReports("1h", seams)) {
    seen.push([update.connection, update.report, update.problem?.reason ?? null]);
    if (seen.length === count) aborting.abort();
  }
  return { seen, waits };
}

test("while the stream runs its reports are live, and a heartbeat keeps them so", async () => {
  const { seen } = await updates(2, { streams: [[REPORT, null]], polls: [] });
  assert.deepEqual(seen, [["live", REPORT, null], ["live", null, null]]);
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
