"""How long the tasks of a page are, in processor time, which other programs that run meanwhile do not touch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


@contextmanager
def page_tasks(page: Page) -> Iterator[list[float]]:
    """Yields: a list that holds, afterwards, the milliseconds of each task of the page's own thread."""
    browser = page.context.browser
    assert browser is not None
    tasks: list[float] = []
    browser.start_tracing(page=page, categories=["toplevel", "__metadata"])
    try:
        yield tasks
    finally:  # a browser whose tracing goes on refuses to begin it for the next test
        trace = browser.stop_tracing()
    tasks += _tasks_in(trace)


def _tasks_in(trace: bytes) -> list[float]:
    events = json.loads(trace)["traceEvents"]
    threads = {
        (event["pid"], event["tid"]): event["args"]["name"] for event in events if event["name"] == "thread_name"
    }
    return [
        event["tdur"] / 1000
        for event in events
        if event["name"] == "ThreadControllerImpl::RunTask"
        and "tdur" in event
        and threads.get((event["pid"], event["tid"])) == "CrRendererMain"
    ]
