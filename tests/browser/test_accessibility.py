"""axe-core finds no violation of WCAG 2.2 AA on any page, in the states listed here, light and dark."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from redis_server import ROOT

from tests.browser.conftest import Faults
from tests.browser.test_how_it_works import HISTORY
from tests.browser.test_pages import PATHS, opened
from tests.pictures import drawn_cat, encoded, photo
from tests.tools import missing

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """(standards) => axe.run(document, { runOnly: { type: "tag", values: standards } })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`)))"""
SETTLE = """() => new Promise(requestAnimationFrame)
    .then(() => document.getAnimations().forEach((each) => each.finish()))"""
HEATMAP = {
    "heatmap": [[0.5] * 64] * 64,
    "heatmap_png": "data:image/png;base64," + base64.b64encode(encoded(drawn_cat(64, 64), "PNG")).decode(),
}


def violations(page: Page) -> list[str]:
    """What axe-core finds on the page as it is now, in both colour schemes."""
    if not AXE.is_file():
        missing("axe-core", "npm ci in frontend")
    page.evaluate(AXE.read_text())
    found: list[str] = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(SETTLE)  # scripts that follow the scheme are told with the next frame; then colours fade over
        found += [f"{scheme}: {violation}" for violation in page.evaluate(RUN, STANDARDS)]
    return found


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    # The policy is the other tests' matter: here it would only keep axe-core from measuring with styles of its own.
    return new_context(reduced_motion="reduce", bypass_csp=True).new_page()


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_no_violation(page: Page, path: str) -> None:
    assert violations(opened(page, path)) == []


def choose_photo(page: Page) -> None:
    page.set_input_files("#photo", {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": photo()})


def test_an_answer_with_its_reasons_and_a_reply_has_no_violation(page: Page, expect: Any) -> None:
    models = [{"name": "first", "version": "1", "default": True}, {"name": "second", "version": "1", "default": False}]
    page.route("**/api/models", lambda route: route.fulfill(json={"models": models}))
    page.route("**/api/feedback", lambda route: route.fulfill(json={}))
    page.route(re.compile(r"/explain\?"), lambda route: route.fulfill(json=HEATMAP))
    opened(page, "/")
    choose_photo(page)
    page.locator("feedback-question button").first.click()
    page.get_by_role("button", name="Show where it looked").click()
    expect(page.get_by_alt_text("Your photo as the model sees it")).to_be_visible()
    expect(page.get_by_label("Model that is asked")).to_be_visible()
    assert violations(page) == []


def test_what_failed_has_no_violation(page: Page, expect: Any, faults: Faults) -> None:
    faults.expected_statuses = {404, 429}
    page.route("**/api/feedback", lambda route: route.fulfill(status=404))
    page.route(re.compile(r"/explain\?"), lambda route: route.fulfill(status=429))
    opened(page, "/")
    choose_photo(page)
    page.locator("feedback-question button").first.click()
    page.get_by_role("button", name="Show where it looked").click()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.locator("feedback-question")).to_have_attribute("data-kind", "failed")
    assert violations(page) == []
    page.route("**/predict", lambda route: route.fulfill(status=429, headers={"Retry-After": "50"}))
    choose_photo(page)
    expect(page.locator("prediction-result h2")).to_have_text("Many people are asking right now")
    assert violations(page) == []


def test_the_numbers_of_the_charts_have_no_violation(page: Page) -> None:
    opened(page, "/dashboard")
    for chart in page.locator("chart-figure").all():
        chart.get_by_text("Show the numbers").click()
    assert violations(page) == []


def test_the_network_at_work_and_its_training_have_no_violation(page: Page, expect: Any) -> None:
    page.route("**/history.csv", lambda route: route.fulfill(body=HISTORY, content_type="text/csv"))
    opened(page, "/how-it-works")
    page.get_by_role("slider", name="Darkness").fill("80")
    for summary in page.locator("main summary").all():
        summary.click()
    expect(page.locator("failure-explorer [role=status]")).to_contain_text("Darkness 80")
    assert violations(page) == []


def test_a_violation_is_found(page: Page) -> None:
    opened(page, "/")
    page.evaluate(
        """document.querySelector("main").insertAdjacentHTML("beforeend", "<img src='/static/favicon.svg'>")"""
    )
    assert [found.partition(": <")[0] for found in violations(page)] == ["light: image-alt", "dark: image-alt"]


def test_a_violation_in_one_of_the_colour_schemes_is_found(page: Page) -> None:
    opened(page, "/")
    page.add_style_tag(content="@media (prefers-color-scheme: dark) { h1 { color: #333 } }")
    assert [found.partition(": <")[0] for found in violations(page)] == ["dark: color-contrast"]
