"""A photo from the camera: with permission, with a preview, and only where there is a camera."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.launch import launched_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ANSWER = re.compile(r"Yes, a cat\.|No, not a cat\.|Not sure\.")
IS_ON = "(stream) => stream.getTracks().some((track) => track.readyState === 'live')"
IS_OFF = f"(stream) => !({IS_ON})(stream)"
FAILING = """(name) => {
    navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", name); };
}"""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One with a camera that shows a test picture."""
    pytest.importorskip("playwright.sync_api")
    with launched_chromium(chromium, "--use-fake-device-for-media-stream") as browser:
        yield browser


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    page = new_context(permissions=["camera"]).new_page()
    page.goto("/")
    return page


def dialog(page: Page) -> Any:
    return page.get_by_role("dialog", name="Take a photo")


def open_camera(page: Page) -> None:
    page.get_by_role("button", name="Take a photo").click()


def test_a_photo_is_taken_and_answered_and_the_camera_is_off(page: Page, expect: Any) -> None:
    open_camera(page)
    take = dialog(page).get_by_role("button", name="Take it")
    expect(take).to_be_focused()  # once the picture is there
    stream = page.evaluate_handle("document.querySelector('camera-capture video').srcObject")
    assert stream.evaluate(IS_ON)
    page.keyboard.press("Enter")
    expect(dialog(page)).to_be_hidden()
    expect(page.get_by_alt_text("Your photo: camera.jpg")).to_be_visible()
    expect(page.locator("prediction-result h2")).to_have_text(ANSWER)
    page.wait_for_function(IS_OFF, arg=stream)  # a dialog is hidden a moment before it says that it closed


def test_escape_closes_it_turns_the_camera_off_and_gives_the_focus_back(page: Page, expect: Any) -> None:
    open_camera(page)
    expect(dialog(page).get_by_role("button", name="Take it")).to_be_enabled()
    stream = page.evaluate_handle("document.querySelector('camera-capture video').srcObject")
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    page.wait_for_function(IS_OFF, arg=stream)  # a dialog is hidden a moment before it says that it closed
    expect(page.get_by_role("button", name="Take a photo")).to_be_focused()


def test_what_keeps_it_from_working_is_said_and_can_be_tried_again(page: Page, expect: Any) -> None:
    devices = page.evaluate_handle("({ works: navigator.mediaDevices.getUserMedia })")
    for error, words in (
        ("NotAllowedError", "not allowed"),
        ("NotFoundError", "No camera was found"),
        ("NotReadableError", "another program may be using it"),
    ):
        page.evaluate(FAILING, error)
        open_camera(page)
        expect(dialog(page).get_by_role("status")).to_contain_text(words)
        devices.evaluate("({ works }) => { navigator.mediaDevices.getUserMedia = works; }")
        dialog(page).get_by_role("button", name="Try again").click()
        expect(dialog(page).get_by_role("button", name="Take it")).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog(page)).to_be_hidden()


def test_a_visitor_who_does_not_allow_it_is_told_what_to_do(
    new_context: Callable[..., BrowserContext], expect: Any
) -> None:
    page = new_context().new_page()  # asked, a browser without a window says no
    page.goto("/")
    open_camera(page)
    expect(dialog(page).get_by_role("status")).to_contain_text("not allowed")


def test_a_camera_that_is_pulled_out_is_noticed(page: Page, expect: Any) -> None:
    open_camera(page)
    expect(dialog(page).get_by_role("button", name="Take it")).to_be_enabled()
    page.evaluate(
        "document.querySelector('camera-capture video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'))"
    )
    expect(dialog(page).get_by_role("status")).to_contain_text("does not answer")


WITHOUT_CAMERA = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })"


def test_where_there_is_no_camera_none_is_offered(new_context: Callable[..., BrowserContext], expect: Any) -> None:
    page = new_context().new_page()
    page.add_init_script(WITHOUT_CAMERA)
    page.goto("/")
    page.locator(".settings:not([hidden])").wait_for()
    expect(page.get_by_text("Take a photo")).to_have_count(0)


def test_a_phone_without_it_offers_its_own_camera_app(
    new_context: Callable[..., BrowserContext], expect: Any, tmp_path: Any
) -> None:
    from tests.pictures import photo

    page = new_context(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844}).new_page()
    page.add_init_script(WITHOUT_CAMERA)
    page.goto("/")
    assert page.get_by_label("Take a photo").get_attribute("capture") == "environment"
    page.get_by_label("Take a photo").set_input_files({"name": "1.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    expect(page.locator("prediction-result h2")).to_have_text(ANSWER)
