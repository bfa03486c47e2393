"""The dashboard in each of its states: accessible, steady, quick, on every screen, in both directions and on paper."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live_reports import cut, open_dashboard, push
from tests.browser.reports import empty_report, full_report
from tests.browser.test_accessibility import violations
from tests.browser.test_pages import WIDTHS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

MAX_LAYOUT_SHIFT = 0.1
MAX_TASK_SECONDS = 0.05
"""From here on a task is called long, as the visitor notices that the page does not answer."""

WATCH_SHIFTS = """
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries()) {
            shifts.push([value, sources.map(({ node }) => node?.className ?? node?.nodeName)]);
        }
    }).observe({ type: "layout-shift", buffered: true });
"""
TOO_WIDE = """() => [...document.querySelectorAll("html, .panel, .panel article, .panel [data-part], .opening > *")]
    .filter((element) => element.scrollWidth > element.clientWidth + 1)
    .map((element) => `${element.localName}.${element.className}: ${element.scrollWidth} in ${element.clientWidth}`)"""


def states(page: Page) -> Iterator[str]:
    """Bring the dashboard into one state after the other. Yields: the name of each."""
    open_dashboard(page)
    yield "loading"
    push(page, empty_report())
    page.get_by_text("No photo was classified").wait_for()
    yield "empty"
    push(page, full_report(drift_status="insufficient_data"))
    page.locator("[data-feature] [data-status=insufficient_data]").first.wait_for()
    yield "too few photos"
    push(page, full_report(drift_status="drift"))
    page.locator("[data-feature] [data-status=drift]").first.wait_for()
    yield "drift"
    push(page, full_report())
    page.locator("header [data-status=ok]").wait_for()
    for numbers in page.get_by_text("Show the numbers").all():
        numbers.click()
    page.get_by_role("spinbutton", name="At least").fill("99.9")
    yield "full, its numbers open, a filter that nothing passes"
    cut(page)
    yield "stale"
    page.get_by_role("link", name="7 days").click()
    page.get_by_text("No data", exact=True).wait_for()
    yield "another window that cannot be had"


def test_no_state_has_a_violation(new_context: Callable[..., BrowserContext]) -> None:
    # The policy is the other tests' matter: here it would only keep axe-core from measuring with styles of its own.
    page = new_context(reduced_motion="reduce", bypass_csp=True).new_page()
    found = {state: violations(page) for state in states(page)}
    assert not any(found.values()), found


@pytest.mark.parametrize("size", [(360, 780), (390, 844), (1024, 768), (1440, 900), (2560, 1440)])
def test_nothing_jumps_from_the_first_paint_to_the_last_state(
    new_context: Callable[..., BrowserContext], size: tuple[int, int]
) -> None:
    width, height = size
    page = new_context(viewport={"width": width, "height": height}).new_page()
    page.add_init_script(WATCH_SHIFTS)
    open_dashboard(page)
    for report in (full_report(drift_status="drift"), empty_report(), full_report()):
        painted(page)
        push(page, report)
    cut(page)
    painted(page)
    shifts = page.evaluate("shifts")
    assert sum(value for value, _ in shifts) < MAX_LAYOUT_SHIFT, shifts


def painted(page: Page) -> None:
    """Return when what the page has to show now is on the screen."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")


def test_the_watch_over_jumps_sees_one(page: Page) -> None:
    page.add_init_script(WATCH_SHIFTS)
    open_dashboard(page, full_report())
    painted(page)
    page.evaluate("""document.querySelector("main").prepend(Object.assign(document.createElement("p"), {
        textContent: "an advertisement", style: "block-size: 20rem" }))""")
    page.evaluate("""document.querySelector("main > p").style.blockSize = "20rem" """)
    painted(page)
    assert sum(value for value, _ in page.evaluate("shifts")) > MAX_LAYOUT_SHIFT


def longest_task_seconds(browser: Browser, page: Page, work: Callable[[], None]) -> float:
    """The most processor time that one task of the page took during the work: what a busy machine cannot change."""
    browser.start_tracing(page=page, categories=["toplevel", "disabled-by-default-devtools.timeline"])
    work()
    events = json.loads(browser.stop_tracing())["traceEvents"]
    threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        event["tdur"] / 1e6
        for event in events
        if event["name"].endswith("RunTask") and "tdur" in event and (event["pid"], event["tid"]) in threads
    ]
    assert tasks, "no task was seen"
    return max(tasks)


def test_an_update_never_keeps_the_page_from_answering(browser: Browser, page: Page, expect: Any) -> None:
    open_dashboard(page, full_report())
    painted(page)
    total = page.locator("[data-figure=total] .figure")

    def update() -> None:
        for number in range(10):
            report = full_report(drift_status="drift" if number % 2 else "ok")
            report["predictions"]["total"] += number
            push(page, report)
            expect(total).to_have_text(f"{report['predictions']['total']:,}")

    assert longest_task_seconds(browser, page, update) < MAX_TASK_SECONDS


def test_the_watch_over_tasks_sees_a_long_one(browser: Browser, page: Page) -> None:
    open_dashboard(page)
    busy = "{ let sum = 0; for (let i = 0; i < 3e8; i += 1) sum += i; }"
    assert longest_task_seconds(browser, page, lambda: page.evaluate(busy)) > MAX_TASK_SECONDS


def test_every_panel_has_room_on_every_screen_in_both_directions(page: Page) -> None:
    open_dashboard(page)
    for drift_status in ("insufficient_data", "drift"):
        push(page, full_report(drift_status=drift_status))
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            for direction in ("ltr", "rtl"):
                page.evaluate("(direction) => { document.documentElement.dir = direction }", direction)
                assert page.evaluate(TOO_WIDE) == [], (drift_status, width, direction)


def test_on_paper_there_are_the_numbers_in_dark_on_white_and_no_knobs(
    new_context: Callable[..., BrowserContext], expect: Any
) -> None:
    page = new_context(color_scheme="dark").new_page()
    open_dashboard(page, full_report())
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 680, "height": 1000})
    for hidden in ("window-picker", "report-model", "recent-predictions form", "live-status", "nav a"):
        expect(page.locator(hidden).first).to_be_hidden()
    for button in page.get_by_role("button").all():
        expect(button).to_be_hidden()
    for shown in (".subject", "chart-figure canvas", "[data-feature]", "pipeline-health dl"):
        expect(page.locator(shown).first).to_be_visible()
    last = page.locator("recent-predictions tbody tr").last
    assert last.evaluate("row => row.closest('.rows').scrollHeight - row.closest('.rows').clientHeight") == 0
    ink = [int(part) for part in re.findall(r"\d+", page.locator("h1").evaluate("h1 => getComputedStyle(h1).color"))]
    assert max(ink[:3]) < 64
    assert page.evaluate(TOO_WIDE) == []


def test_who_prefers_reduced_motion_sees_none(new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(reduced_motion="reduce").new_page()
    for _ in states(page):
        assert page.evaluate("document.getAnimations().length") == 0
