"""Who keeps a photo on the device gets the same answer, and nothing of the photo leaves the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.browser.conftest import answer_of
from tests.pictures import drawn_cat, encoded
from tests.processes import Catnet

if TYPE_CHECKING:
    from playwright.sync_api import Page

SWITCH = "Keep my photo on this device"


def test_the_answer_is_the_same_and_the_photo_is_not_sent(page: Page, expect: Any, running_catnet: Catnet) -> None:
    picture = encoded(drawn_cat(512, 384, seed=1), "PNG")
    answer = answer_of(running_catnet, picture)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.goto("/")
    page.get_by_label(SWITCH).check()
    page.set_input_files("#photo", {"name": "mine.png", "mimeType": "image/png", "buffer": picture})
    expect(page.locator("prediction-result")).to_have_attribute("data-kind", "answered")
    shown = f"{answer['cat_probability'] * 100:.1f}\u202f%"
    expect(page.locator("prediction-result .sentence")).to_contain_text(shown)
    expect(page.locator("feedback-question")).to_have_count(0)
    expect(page.get_by_role("button", name="Show where it looked")).to_be_hidden()
    assert sent == []
    page.get_by_label(SWITCH).uncheck()
    expect(page.get_by_role("button", name="Show where it looked")).to_be_visible()
    assert [url.rsplit("/", 1)[-1] for url in sent] == ["predict"]


def test_what_is_said_of_the_photo_before_it_is_chosen_holds_for_where_it_goes(page: Page, expect: Any) -> None:
    page.goto("/")
    said = page.locator("prediction-result .content")
    expect(said.get_by_text("are counted on the dashboard")).to_be_visible()
    page.get_by_label(SWITCH).check()
    expect(said.get_by_text("nothing is sent, and nothing is counted")).to_be_visible()
    expect(said.get_by_text("are counted on the dashboard")).to_be_hidden()
    page.reload()
    expect(said.get_by_text("nothing is sent, and nothing is counted")).to_be_visible()
    page.get_by_label(SWITCH).uncheck()
    expect(said.get_by_text("are counted on the dashboard")).to_be_visible()


def test_a_photo_that_the_browser_cannot_read_is_said(page: Page, expect: Any) -> None:
    page.goto("/")
    page.get_by_label(SWITCH).check()
    page.set_input_files("#photo", {"name": "cat.heic", "mimeType": "image/heic", "buffer": b"not for browsers"})
    expect(page.locator("prediction-result h2")).to_have_text("This browser cannot read the file")
