"""What holds for every page: no complaint, nothing from elsewhere, room on every screen, light and dark."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.browser.conftest import Faults
from tests.processes import Catnet

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Response

PATHS = ["/", "/how-it-works", "/dashboard", "/docs"]
WIDTHS = [360, 390, 768, 1440, 2560]
READY = {
    "/": "photo-drop:defined",
    "/how-it-works": "photo-choice[data-kind=shown]",
    "/dashboard": ".panels[aria-busy=false]",
    "/docs": ".opblock",
}


def opened(page: Page, path: str) -> Page:
    page.goto(path)
    page.locator(READY[path]).first.wait_for()
    return page


@pytest.mark.parametrize("path", PATHS)
def test_a_page_fits_every_screen_and_its_browser_has_nothing_to_complain_about(page: Page, path: str) -> None:
    opened(page, path)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{path} is {overflow} pixels too wide at {width}"


def brightness(page: Page) -> float:
    colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return sum(int(value) for value in re.findall(r"\d+", colour)[:3]) / 3


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_light_or_dark_as_the_visitor_prefers_also_when_that_changes(
    new_context: Callable[..., BrowserContext], path: str
) -> None:
    page = opened(new_context(color_scheme="dark").new_page(), path)
    assert brightness(page) < 64
    page.emulate_media(color_scheme="light")
    assert brightness(page) > 192


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_one_title_one_main_part_and_names_where_one_is(page: Page, expect: Any, path: str) -> None:
    opened(page, path)
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("banner").locator("[aria-current=page]")).to_have_attribute("href", path)


@pytest.mark.parametrize("path", PATHS)
def test_the_policy_of_a_page_allows_nothing_inline_and_nothing_from_elsewhere(
    running_catnet: Catnet, path: str
) -> None:
    policy = httpx.get(f"{running_catnet.gateway_url}{path}", trust_env=False).headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize(("path", "kilobytes"), [("/", 80), ("/how-it-works", 80), ("/dashboard", 200)])
def test_a_page_is_light(page: Page, path: str, kilobytes: int) -> None:
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))
    opened(page, path)
    page.wait_for_load_state("load")
    files = [response for response in responses if "/api/" not in response.url]
    assert len(files) > 10, "the page's files were not seen"
    weight = sum(len(gzip.compress(response.body())) for response in files)
    assert weight < kilobytes * 1000, f"{path} is {weight} bytes"


def test_charts_are_loaded_on_the_dashboard_alone(page: Page) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    opened(page, "/")
    assert not [url for url in requested if "/vendor/" in url]
    opened(page, "/dashboard")
    assert [url for url in requested if "/vendor/chart.js/" in url]


def test_who_prefers_reduced_motion_sees_none(new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(reduced_motion="reduce").new_page()
    page.route("**/predict", lambda route: None)  # stays at "looking"
    opened(page, "/")
    page.set_input_files("#photo", {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": b"any"})
    page.locator("prediction-result .working").wait_for()
    assert page.evaluate("document.getAnimations().length") == 0


def test_the_watch_over_the_pages_sees_what_it_is_there_for(page: Page, faults: Faults) -> None:
    opened(page, "/")
    page.evaluate("""() => {
        document.body.insertAdjacentHTML("beforeend", '<p style="color: red">inline</p>');
        console.error("complaint");
        fetch("/nowhere");
        fetch("http://elsewhere.invalid/").catch(() => {});
        setTimeout(() => { throw new Error("uncaught") });
    }""")
    page.wait_for_load_state("networkidle")
    for expected in ("content policy violated: style-src", "console: complaint", "404 for", "uncaught: uncaught"):
        assert any(expected in fault for fault in faults.found), (expected, faults.found)
    assert any("elsewhere.invalid" in fault for fault in faults.found)
    faults.found.clear()
