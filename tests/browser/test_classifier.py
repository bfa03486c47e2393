"""The classifier, as a visitor uses it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Faults, answer_of, failing
from tests.pictures import bomb_png, drawn_cat, encoded, photo, truncated_photo
from tests.processes import Catnet

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Route

ANSWER = re.compile(r"Yes, a cat\.|No, not a cat\.|Not sure\.")
TOO_LARGE_BYTES = 20 * 1024 * 1024


@pytest.fixture
def photo_file(tmp_path: Path) -> Path:
    path = tmp_path / "my cat.jpg"
    path.write_bytes(photo())
    return path


def headline(page: Page) -> Any:
    return page.locator("prediction-result h2")


def fact(page: Page, term: str) -> Any:
    return page.locator("prediction-result .facts div", has=page.get_by_text(term, exact=True)).locator("dd")


def send(page: Page, name: str, content: bytes, media_type: str = "image/jpeg") -> None:
    page.set_input_files("#photo", {"name": name, "mimeType": media_type, "buffer": content})


def test_a_photo_chosen_by_a_click_is_answered_as_the_service_answers_it(
    page: Page, expect: Any, running_catnet: Catnet, photo_file: Path
) -> None:
    answer = answer_of(running_catnet, photo_file.read_bytes())
    page.goto("/")
    with page.expect_file_chooser() as chooser:
        page.get_by_label("Choose a photo").click()
    chooser.value.set_files(photo_file)

    expect(headline(page)).to_have_text(ANSWER)
    expect(fact(page, "Label")).to_have_text(answer["label"])
    expect(fact(page, "Confidence")).to_contain_text(f"{answer['confidence'] * 100:.1f}")
    expect(fact(page, "Model")).to_contain_text(answer["model"]["name"])
    expect(fact(page, "Photo")).to_contain_text("640 × 480")
    expect(fact(page, "Time")).to_contain_text(re.compile(r"\d\sms"))
    preview = page.get_by_alt_text("Your photo: my cat.jpg")
    expect(preview).to_be_visible()
    assert preview.evaluate("image => image.decode().then(() => image.naturalWidth)") == 640


def test_the_answer_is_said_once_to_a_screen_reader(page: Page, expect: Any, photo_file: Path) -> None:
    page.goto("/")
    page.set_input_files("#photo", photo_file)
    expect(page.locator("prediction-result > [role=status]")).to_have_text(ANSWER)


def test_a_photo_dropped_anywhere_is_answered(page: Page, expect: Any, photo_file: Path) -> None:
    page.goto("/")
    devtools = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send(
            "Input.dispatchDragEvent",
            {
                "type": kind,
                "x": 40,
                "y": 500,
                "data": {"items": [], "files": [str(photo_file)], "dragOperationsMask": 1},
            },
        )
    expect(headline(page)).to_have_text(ANSWER)
    expect(page.get_by_alt_text("Your photo: my cat.jpg")).to_be_visible()
    assert page.url.endswith("/")


def test_a_photo_pasted_from_the_clipboard_is_answered(new_context: Callable[..., BrowserContext], expect: Any) -> None:
    context = new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto("/")
    page.evaluate(
        """async (bytes) => navigator.clipboard.write(
               [new ClipboardItem({ "image/png": new Blob([new Uint8Array(bytes)], { type: "image/png" }) })])""",
        list(encoded(drawn_cat(64, 64), "PNG")),
    )
    page.keyboard.press("Control+V")
    expect(headline(page)).to_have_text(ANSWER)


def test_the_keyboard_alone_reaches_the_file_dialog_and_shows_where_it_is(page: Page) -> None:
    page.on("filechooser", lambda chooser: None)  # from the start: asked for only before the key, it may come too late
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the photo"
    while page.evaluate("document.activeElement.id") != "photo":
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement !== document.body"), "the file input cannot be reached"
    assert page.locator("photo-drop").evaluate("drop => getComputedStyle(drop).outlineStyle") == "solid"
    with page.expect_file_chooser():
        page.keyboard.press("Enter")


def test_a_photo_that_was_chosen_before_the_script_arrived_is_answered(
    page: Page, expect: Any, photo_file: Path
) -> None:
    held: list[Route] = []
    page.route("**/static/index.js", lambda route: held.append(route))
    page.goto("/", wait_until="commit")
    page.set_input_files("#photo", photo_file)
    held[0].continue_()
    expect(headline(page)).to_have_text(ANSWER)


def test_a_photo_that_the_browser_cannot_show_is_answered_all_the_same(page: Page, expect: Any) -> None:
    page.goto("/")
    send(page, "cat.tiff", encoded(drawn_cat(), "TIFF"), "image/tiff")
    expect(headline(page)).to_have_text(ANSWER)
    expect(page.locator("photo-drop figure[data-no-preview]")).to_be_visible()
    expect(page.locator("photo-drop .name")).to_have_text("cat.tiff")


def test_a_second_photo_replaces_the_first(page: Page, expect: Any) -> None:
    page.goto("/")
    send(page, "first.jpg", photo())
    expect(headline(page)).to_have_text(ANSWER)
    send(page, "second.png", encoded(drawn_cat(32, 16), "PNG"), "image/png")
    expect(fact(page, "Photo")).to_contain_text("32 × 16")
    expect(page.get_by_alt_text("Your photo: second.png")).to_be_visible()
    expect(page.get_by_alt_text("Your photo: first.jpg")).to_have_count(0)


def test_the_name_of_a_file_is_text(page: Page, expect: Any) -> None:
    page.goto("/")
    name = "<img src=x onerror=document.title='owned'>&amp;.jpg"
    send(page, name, photo())
    expect(headline(page)).to_have_text(ANSWER)
    expect(page.locator("figcaption .name")).to_have_text(name)
    assert page.title().startswith("Is it a cat?")


def test_a_bad_file_is_refused_in_words_and_the_next_photo_is_answered(page: Page, expect: Any, faults: Faults) -> None:
    page.goto("/")
    for name, content, status, words in (
        ("text.jpg", b"This is a text.", 415, "This is not a photo we can read"),
        ("truncated.jpg", truncated_photo(), 422, "This photo is broken or has too many pixels"),
        ("400 megapixels.png", bomb_png(), 422, "This photo is broken or has too many pixels"),
        ("empty.jpg", b"", 400, "The photo did not arrive whole"),
    ):
        faults.expected_statuses = {status}
        send(page, name, content)
        expect(headline(page)).to_have_text(words)
        send(page, "cat.jpg", photo())
        expect(headline(page)).to_have_text(ANSWER)


def test_a_file_that_is_too_large_is_refused_in_words(page: Page, expect: Any, faults: Faults, tmp_path: Path) -> None:
    faults.expected_statuses = {413}
    huge = tmp_path / "huge.jpg"
    huge.write_bytes(photo() + bytes(TOO_LARGE_BYTES))
    page.route("**/openapi.json", lambda route: route.abort())  # so that the page cannot know before it sends
    page.goto("/")
    page.get_by_label("Make large photos smaller").uncheck()
    page.set_input_files("#photo", huge)
    expect(headline(page)).to_have_text("This file is too large")
    expect(page.locator("prediction-result").get_by_role("button", name="Choose another photo")).to_be_visible()


def test_a_busy_service_is_asked_again_by_itself_with_the_same_photo(
    page: Page, expect: Any, faults: Faults, photo_file: Path
) -> None:
    faults.expected_statuses = {429}
    page.route(
        "**/predict",
        lambda route: route.fulfill(
            status=429,
            headers={"Retry-After": "3", "Content-Type": "application/problem+json"},
            body=json.dumps({"title": "Too Many Requests", "status": 429, "request_id": "r-1"}),
        ),
        times=1,
    )
    page.goto("/")
    page.set_input_files("#photo", photo_file)
    expect(headline(page)).to_have_text("Many people are asking right now")
    expect(page.locator("prediction-result retry-countdown")).to_contain_text(re.compile(r"Trying again in \d second"))
    expect(headline(page)).to_have_text(ANSWER)


def test_a_service_in_trouble_is_explained_and_asked_again_by_itself(
    page: Page, expect: Any, faults: Faults, photo_file: Path
) -> None:
    page.goto("/")
    for status, words in (
        (502, "The model cannot be reached"),
        (503, "The model is not ready"),
        (504, "The answer took too long"),
    ):
        faults.expected_statuses = {status}
        page.route("**/predict", failing(status), times=1)
        page.set_input_files("#photo", photo_file)
        expect(headline(page)).to_have_text(words)
        expect(page.locator("prediction-result .sentence")).to_contain_text("Your photo is still here")
        expect(headline(page)).to_have_text(ANSWER)


@pytest.mark.parametrize(
    ("status", "words", "button"),
    [(500, "Something went wrong on our side", "Try again"), (503, "The model is not ready", "Try now")],
)
def test_a_service_in_trouble_can_be_asked_again_at_once(
    page: Page, expect: Any, faults: Faults, photo_file: Path, status: int, words: str, button: str
) -> None:
    faults.expected_statuses = {status}
    wait = {"Retry-After": "60"} if status == 503 else {}
    page.route("**/predict", lambda route: route.fulfill(status=status, headers=wait, body="<h1>?</h1>"), times=1)
    page.goto("/")
    page.set_input_files("#photo", photo_file)
    expect(headline(page)).to_have_text(words)
    page.get_by_role("button", name=button).click()
    expect(headline(page)).to_have_text(ANSWER)


def test_when_the_network_is_back_the_photo_is_sent_by_itself(page: Page, expect: Any, photo_file: Path) -> None:
    page.goto("/")
    page.context.set_offline(True)
    page.set_input_files("#photo", photo_file)
    expect(headline(page)).to_have_text("No connection to the service")
    page.context.set_offline(False)
    expect(headline(page)).to_have_text(ANSWER)


def test_a_question_can_be_cancelled_and_asked_again(page: Page, expect: Any, photo_file: Path) -> None:
    page.route("**/predict", lambda route: None, times=1)  # never answers
    page.goto("/")
    page.set_input_files("#photo", photo_file)
    page.get_by_role("button", name="Cancel").press("Enter")
    expect(headline(page)).to_have_text("Cancelled")
    expect(headline(page)).to_be_focused()  # the pressed button is gone: the keyboard goes on from here
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(headline(page)).to_have_text(ANSWER)


def test_a_prediction_the_model_does_not_stand_by_is_not_sure(
    page: Page, expect: Any, running_catnet: Catnet, photo_file: Path
) -> None:
    answer = answer_of(running_catnet, photo_file.read_bytes())
    unsure = {**answer, "label": "cat", "cat_probability": 0.58, "certain": False}
    page.route("**/predict", lambda route: route.fulfill(json=unsure))
    page.goto("/")
    page.set_input_files("#photo", photo_file)
    expect(headline(page)).to_have_text("Not sure.")


def test_the_dashboard_is_one_click_away(page: Page, expect: Any) -> None:
    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name="Dashboard").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
