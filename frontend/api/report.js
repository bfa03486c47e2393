import { readEvents } from "../lib/event-stream.js";
import { pause } from "../lib/pause.js";
import { Watchdog } from "../lib/watchdog.js";
import { Problem } from "./problem.js";
import { problemFromFailure, request, requestJson } from "./request.js";

const REPORT_DEADLINE_SECONDS = 10;
const FIRST_EVENT_SECONDS = 5; // the first report comes at once; where it does not, something on the way holds streams back
const SILENCE_SECONDS = 40; // the server's heartbeat comes every 15
const POLL_SECONDS = 5;

/** What is asked: a window ("15m", "1h", "24h", "7d") and a model ("name" or "name/version"), null for the default one. */
function queryOf({ window, model }) {
  return new URLSearchParams(model === null ? { window } : { window, model });
}

/** The report of { window, model }. Throws: Problem */
export function fetchReport(question, { signal, fetch } = {}) {
  return requestJson(`/api/monitor/report?${queryOf(question)}`, {
    deadlineSeconds: REPORT_DEADLINE_SECONDS,
    cache: "no-store",
    signal,
    fetch,
  });
}

/** The reports as the server sends them, and null for each of its signs of life in between. Throws: Problem */
export async function* streamReports(question, { signal, fetch } = {}) {
  const watchdog = new Watchdog(signal);
  watchdog.feed(FIRST_EVENT_SECONDS);
  try {
    const url = `/api/monitor/stream?${queryOf(question)}`;
    const options = { signal: watchdog.signal, headers: { Accept: "text/event-stream" }, cache: "no-store", fetch };
    const response = await request(url, options);
    for await (const event of readEvents(response.body)) {
      watchdog.feed(SILENCE_SECONDS);
      yield event.type === "report" ? JSON.parse(event.data) : null;
    }
  } catch (error) {
    throw error instanceof SyntaxError || error instanceof RangeError ? new Problem("unreadable") : problemFromFailure(error);
  } finally {
    watchdog.stop();
  }
}

/**
 * Follow the reports of { window, model } for as long as the signal allows, whatever happens to the connection.
 *
 * Yields { connection, report, problem }:
 *   "live"     the stream is open; report is the newest one
 *   "polling"  the stream is not to be had; report was asked for
 *   "lost"     neither, or the stream is open and there are no numbers; problem says why
 * After each break the report is asked for once, so that the page is right at once, and then the stream is tried again.
 * So it is at each heartbeat: the monitor sends them also while it cannot reach what it reports on.
 */
export async function* followReports(question, { signal, stream = streamReports, poll = fetchReport, wait = pause }) {
  const ask = () => poll(question, { signal });
  while (!signal.aborted) {
    try {
      for await (const report of stream(question, { signal })) {
        yield report ? { connection: "live", report, problem: null } : await polled(ask, "live");
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
    if (signal.aborted) return;
    yield await polled(ask, "polling");
    await wait(POLL_SECONDS, signal);
  }
}

async function polled(ask, connection) {
  try {
    return { connection, report: await ask(), problem: null };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { connection: "lost", report: null, problem: error };
  }
}
