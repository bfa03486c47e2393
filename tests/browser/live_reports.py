"""A dashboard that is told what to show: its event stream, and the reports it asks for, come from the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.reports import Report

# fetch, but for the monitor's addresses. `live.push(report)` sends an event; a report that is asked for, as at a
# heartbeat, is the one pushed last. `live.cut()` breaks the stream, and from then on the monitor is away.
STAND_IN = """
    const realFetch = window.fetch;
    const encoder = new TextEncoder();
    const streams = new Set();
    window.live = {
        last: null,
        isAway: false,
        push(report) {
            this.last = report;
            const event = encoder.encode(`event: report\\ndata: ${JSON.stringify(report)}\\n\\n`);
            for (const stream of streams) stream.enqueue(event);
        },
        cut() {
            this.isAway = true;
            for (const stream of streams) stream.error(new TypeError("cut"));
            streams.clear();
        },
    };
    const events = () => new Response(new ReadableStream({
        start(controller) {
            streams.add(controller);
            controller.enqueue(encoder.encode("retry: 2000\\n\\n"));
            if (live.last) live.push(live.last);
        },
    }), { headers: { "Content-Type": "text/event-stream" } });
    window.fetch = async (url, options) => {
        if (!String(url).startsWith("/api/monitor/")) return realFetch(url, options);
        if (live.isAway) throw new TypeError("away");
        return String(url).startsWith("/api/monitor/stream") ? events() : Response.json(live.last);
    };
"""


def open_dashboard(page: Page, report: Report | None = None, address: str = "/dashboard") -> None:
    """Open the dashboard under the test's reports; without one it stays as it is before the first."""
    page.add_init_script(f"(() => {{ {STAND_IN} }})()")
    page.goto(address)
    if report is not None:
        push(page, report)


def push(page: Page, report: Report) -> None:
    """Send a report as the event stream does, and return when the page shows it."""
    page.evaluate("(report) => live.push(report)", report)
    page.locator(".panels[aria-busy=false]").wait_for()


def cut(page: Page) -> None:
    """Break the stream, with nothing left to ask; return when the page says so."""
    page.evaluate("live.cut()")
    page.locator("live-status[data-connection=lost]").wait_for()
