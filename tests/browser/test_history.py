"""What was answered is remembered in the browser and nowhere else, and only for as long as the visitor wants."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.pictures import photo

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

FULL = """Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };"""
BLOCKED = (
    """Object.defineProperty(window, "localStorage", { get() { throw new DOMException("", "SecurityError"); } });"""
)


def ask(page: Page, name: str) -> None:
    page.set_input_files("#photo", {"name": name, "mimeType": "image/jpeg", "buffer": photo()})
    page.locator("prediction-result[data-kind=answered]").wait_for()


def history(page: Page) -> Any:
    return page.locator("answer-history")


def open_history(page: Page) -> None:
    history(page).locator("summary").click()


def test_an_answer_is_remembered_with_a_small_picture_also_after_a_reload(page: Page, expect: Any) -> None:
    page.goto("/")
    expect(history(page)).to_be_hidden()
    ask(page, "tom.jpg")
    expect(history(page).locator("summary")).to_contain_text("1")
    page.reload()
    open_history(page)
    expect(history(page).locator("li")).to_have_count(1)
    expect(history(page).locator("li")).to_contain_text("tom.jpg")
    picture = history(page).locator("li img")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 160
    assert len(page.evaluate("localStorage.getItem('catnet.history')")) < 20_000


def test_the_newest_is_first_and_all_can_be_forgotten(page: Page, expect: Any) -> None:
    page.goto("/")
    for name in ("first.jpg", "second.jpg"):
        ask(page, name)
        expect(history(page).locator("summary")).to_contain_text("1" if name == "first.jpg" else "2")
    open_history(page)
    expect(history(page).locator("li").first).to_contain_text("second.jpg")
    page.get_by_role("button", name="Forget them all").press("Enter")
    expect(history(page)).to_be_hidden()
    expect(page.get_by_label("Remember answers")).to_be_focused()
    assert page.evaluate("localStorage.getItem('catnet.history')") is None


def test_who_switches_it_off_leaves_nothing_behind(page: Page, expect: Any) -> None:
    page.goto("/")
    ask(page, "first.jpg")
    expect(history(page)).to_be_visible()
    page.get_by_label("Remember answers").uncheck()
    expect(history(page)).to_be_hidden()
    ask(page, "second.jpg")
    page.reload()
    expect(page.get_by_label("Remember answers")).not_to_be_checked()
    expect(history(page)).to_be_hidden()
    assert page.evaluate("localStorage.getItem('catnet.history')") is None


@pytest.mark.parametrize("trouble", [FULL, BLOCKED], ids=["full", "blocked"])
def test_a_browser_that_keeps_nothing_remembers_for_the_visit(
    new_context: Callable[..., BrowserContext], expect: Any, trouble: str
) -> None:
    page = new_context().new_page()
    page.add_init_script(trouble)
    page.goto("/")
    ask(page, "tom.jpg")
    open_history(page)
    expect(history(page).locator("li")).to_contain_text("tom.jpg")


def test_what_somebody_wrote_into_the_storage_is_text(new_context: Callable[..., BrowserContext], expect: Any) -> None:
    page = new_context().new_page()
    page.goto("/")
    page.evaluate(
        """localStorage.setItem("catnet.history", JSON.stringify([
            { time: 1, name: "<img src=x onerror=document.title='owned'>", thumbnail: null,
              label: "cat", cat_probability: 0.9, certain: true, model: "<b>m</b>" }, 7, null]))"""
    )
    page.reload()
    open_history(page)
    expect(history(page).locator("li")).to_have_count(1)
    expect(history(page).locator("li")).to_contain_text("<b>m</b>")
    assert page.title().startswith("Is it a cat?")
