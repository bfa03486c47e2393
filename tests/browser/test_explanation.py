"""Where the model looked: loaded on demand, laid over the photo, said in words, and harmless where it fails."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Faults, failing, needs_route
from tests.pictures import drawn_cat, encoded, photo
from tests.processes import Catnet

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

EXPLAIN = re.compile(r"/explain\?")
METHODS = ["gradient", "smoothgrad", "integrated_gradients", "occlusion"]
PICTURE = "data:image/png;base64," + base64.b64encode(encoded(drawn_cat(64, 64), "PNG")).decode()
AT_THE_TOP_LEFT = [[1.0 if row < 5 and column < 5 else 0.0 for column in range(64)] for row in range(64)]
WORDS = "What speaks most for a cat is at the top left."


def explained(route: Route) -> None:
    route.fulfill(json={"heatmap": AT_THE_TOP_LEFT, "heatmap_png": PICTURE})


def choose_photo(page: Page, content: bytes | None = None) -> None:
    picture = {"name": "cat", "mimeType": "application/octet-stream", "buffer": content or photo()}
    page.set_input_files("#photo", picture)
    page.locator("prediction-result[data-kind=answered]").wait_for()


def show(page: Page) -> None:
    page.get_by_role("button", name="Show where it looked").click()


def heatmap(page: Page) -> Any:
    return page.get_by_alt_text("Your photo as the model sees it")


def outcome(page: Page) -> Any:
    return page.locator("explanation-view [role=status]")


def test_nothing_is_explained_before_somebody_asks(page: Page, expect: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    expect(page.locator("explanation-view")).to_be_hidden()
    choose_photo(page)
    expect(page.get_by_role("button", name="Show where it looked")).to_be_visible()
    assert not [url for url in asked if EXPLAIN.search(url)]


def test_the_heatmap_lies_over_the_square_that_the_model_sees(page: Page, expect: Any) -> None:
    page.route(EXPLAIN, explained)
    page.goto("/")
    choose_photo(page)
    show(page)
    expect(heatmap(page)).to_be_visible()
    expect(outcome(page)).to_have_text(WORDS)
    expect(page.get_by_label("How it is found")).to_be_focused()  # the pressed button is gone
    below, above = page.locator("explanation-view .photo"), heatmap(page)
    assert below.bounding_box() == above.bounding_box()
    box = above.bounding_box()
    assert box is not None
    assert box["width"] == pytest.approx(box["height"], abs=1)
    assert below.evaluate("image => image.decode().then(() => image.naturalWidth)") == 640
    assert below.evaluate("image => getComputedStyle(image).objectFit") == "cover"


def test_the_slider_fades_the_colours(page: Page, expect: Any) -> None:
    page.route(EXPLAIN, explained)
    page.goto("/")
    choose_photo(page)
    show(page)
    expect(heatmap(page)).to_have_css("opacity", "0.8")
    page.get_by_label("Strength of the colours").fill("25")
    expect(heatmap(page)).to_have_css("opacity", "0.25")
    page.get_by_label("Strength of the colours").press("Home")
    expect(heatmap(page)).to_have_css("opacity", "0")


def test_each_method_is_asked_for_and_a_late_answer_of_another_is_not_shown(page: Page, expect: Any) -> None:
    page.route(EXPLAIN, explained)
    page.route(re.compile(r"/explain\?method=gradient"), lambda route: None)  # never answers
    page.goto("/")
    choose_photo(page)
    show(page)
    expect(outcome(page)).to_have_text("Looking at what mattered…")
    for method in METHODS[1:]:
        with page.expect_response(re.compile(rf"/explain\?method={method}")):
            page.get_by_label("How it is found").select_option(method)
        expect(outcome(page)).to_have_text(WORDS)


def test_where_it_fails_the_answer_stays_and_the_reason_is_said(page: Page, expect: Any, faults: Faults) -> None:
    page.route(EXPLAIN, explained)
    page.goto("/")
    for status, words, again in (
        (429, "Explaining takes many times the work", True),
        (404, "This service cannot show where it looked.", False),
        (504, "The answer took too long.", True),
        (502, "The model cannot be reached.", True),
    ):
        faults.expected_statuses = {status}
        page.route(EXPLAIN, failing(status), times=1)
        choose_photo(page)
        show(page)
        expect(outcome(page)).to_contain_text(words)
        expect(heatmap(page)).to_be_hidden()
        expect(page.locator("prediction-result")).to_have_attribute("data-kind", "answered")
        button = page.get_by_role("button", name="Try again")
        expect(button).to_have_count(1 if again else 0)
        if again:
            button.click()
            expect(outcome(page)).to_have_text(WORDS)


def test_another_photo_begins_without_the_reasons_of_the_one_before(page: Page, expect: Any) -> None:
    page.route(EXPLAIN, explained)
    page.goto("/")
    choose_photo(page)
    show(page)
    expect(heatmap(page)).to_be_visible()
    choose_photo(page, encoded(drawn_cat(32, 16), "PNG"))
    expect(heatmap(page)).to_be_hidden()
    expect(outcome(page)).to_be_empty()
    show(page)
    expect(page.locator("explanation-view .photo")).to_have_js_property("naturalWidth", 32)


def test_a_photo_that_the_browser_cannot_show_has_its_heatmap_all_the_same(page: Page, expect: Any) -> None:
    page.route(EXPLAIN, explained)
    page.goto("/")
    choose_photo(page, encoded(drawn_cat(), "TIFF"))
    show(page)
    expect(heatmap(page)).to_be_visible()
    expect(page.locator("explanation-view .photo")).to_be_hidden()


def test_it_fits_a_phone(page: Page, expect: Any) -> None:
    page.route(EXPLAIN, explained)
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/")
    choose_photo(page)
    show(page)
    expect(heatmap(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_the_service_explains_by_every_method(page: Page, expect: Any, running_catnet: Catnet) -> None:
    needs_route(running_catnet, "/explain")
    page.goto("/")
    choose_photo(page)
    show(page)
    said = re.compile("What speaks most|It looked most|no part of the picture stands out")
    for method in METHODS:
        page.get_by_label("How it is found").select_option(method)
        expect(outcome(page)).to_have_text(said)
        expect(heatmap(page)).to_have_js_property("naturalWidth", 64)
