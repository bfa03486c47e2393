"""Without JavaScript the classifier is a form, and its answer a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Faults
from tests.browser.test_accessibility import violations
from tests.pictures import photo, truncated_photo

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

ANSWER = re.compile(r"Yes, a cat\.|No, not a cat\.|Not sure\.")


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    page = new_context(java_script_enabled=False).new_page()
    page.goto("/")
    return page


def send(page: Page, content: bytes, folder: Path) -> None:
    path = folder / "cat.jpg"
    path.write_bytes(content)
    page.set_input_files("#photo", path)
    with page.expect_navigation():
        page.get_by_role("button", name="Ask the model").click()


def test_the_form_is_answered_in_words_and_leads_back(page: Page, expect: Any, tmp_path: Path) -> None:
    send(page, photo(), tmp_path)
    expect(page.get_by_role("heading", level=1)).to_have_text(ANSWER)
    expect(page.get_by_text("% for a cat").or_(page.get_by_text("probability of"))).to_be_visible()
    page.get_by_role("link", name="Ask about another photo").click()
    expect(page.get_by_role("button", name="Ask the model")).to_be_visible()


def test_what_cannot_be_answered_is_explained_in_words(page: Page, expect: Any, faults: Faults, tmp_path: Path) -> None:
    for content, status, words in (
        (b"This is a text.", 415, "This is not a photo we can read"),
        (truncated_photo(), 422, "This photo is broken or has too many pixels"),
        (b"", 400, "The photo did not arrive"),
        (photo() + bytes(20 * 1024 * 1024), 413, "This file is too large"),
    ):
        faults.expected_statuses = {status}
        page.goto("/")
        send(page, content, tmp_path)
        expect(page.get_by_role("heading", level=1)).to_have_text(words)


def test_nothing_is_offered_that_needs_a_script(page: Page, expect: Any) -> None:
    for name in ("Take a photo", "Make large photos smaller", "Remember answers"):
        expect(page.get_by_text(name)).to_be_hidden()


def test_the_page_of_an_answer_has_no_violation(new_context: Callable[..., BrowserContext], tmp_path: Path) -> None:
    """The answer's page, which runs no script, in a browser that could: axe-core is one."""
    page = new_context(reduced_motion="reduce", bypass_csp=True).new_page()
    page.route("**/static/index.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto("/")
    send(page, photo(), tmp_path)
    assert violations(page) == []
    for width in (360, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
