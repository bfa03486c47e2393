import { readEvents } from "../lib/event-stream.js";
import { pause } from "../lib/pause.js";
import { Watchdog } from "../lib/watchdog.js";
import { Problem } from "./problem.js";
import { problemFromFailure, request, requestJson } from "./request.js";

const REPORT_DEADLINE_SECONDS = 10;
const FIRST_EVENT_SECONDS = 5; // the first report comes at once; where it does not, something on the way holds streams back
const SILENCE_SECONDS = 40; // the server's heartbeat comes every 15
const POLL_SECONDS = 5;

/** The report of one window ("15m", "1h", "24h", "7d"). Throws: Problem */
export function fetchReport(windowName, { signal, fetch } = {}) {
  return requestJson(`/api/monitor/report?${new URLSearchParams({ window: windowName })}`, {
    deadlineSeconds: REPORT_DEADLINE_SECONDS,
    cache: "no-store",
    signal,
    fetch,
  });
}

/** The reports as the server sends them, and null for each of its signs of life in between. Throws: Problem */
export async function* streamReports(windowName, { signal, fetch } = {}) {
  const watchdog = new Watchdog(signal);
  watchdog.feed(FIRST_EVENT_SECONDS);
  try {
    const url = `/api/monitor/stream?${new URLSearchParams({ window: windowName })}`;
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
 * Follow the reports of a window for as long as the signal allows, whatever happens to the connection.
 *
 * Yields { connection, report, problem }:
 *   "live"     the stream is open; report is the newest one, or null for a sign of life
 *   "polling"  the stream is not to be had; report was asked for
 *   "lost"     neither; problem says why
 * After each break the report is asked for once, so that the page is right at once, and then the stream is tried again.
 */
export async function* followReports(windowName, { signal, stream = streamReports, poll = fetchReport, wait = pause }) {
  while (!signal.aborted) {
    try {
      for await (const report of stream(windowName, { signal })) yield { connection: "live", report, problem: null };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
    if (signal.aborted) return;
    yield await polled(() => poll(windowName, { signal }));
    await wait(POLL_SECONDS, signal);
  }
}

async function polled(poll) {
  try {
    return { connection: "polling", report: await poll(), problem: null };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { connection: "lost", report: null, problem: error };
  }
}
