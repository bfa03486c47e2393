"""Several photos at once: each has its card, a few are asked about at a time, and the page stays quick."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser.conftest import Faults
from tests.browser.page_tasks import page_tasks
from tests.pictures import drawn_cat, encoded, photo
from tests.processes import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Route

MANY = 200
AT_ONCE = 3
LONGEST_TASK_MILLISECONDS = 200  # of processor time
WORDS = re.compile(r"A cat|Not a cat|Not sure")
HELD_ROUTES = "**/predict"


def photos(count: int) -> list[dict[str, Any]]:
    return [{"name": f"cat-{i}.jpg", "mimeType": "image/jpeg", "buffer": photo(i % 5)} for i in range(count)]


def cards(page: Page) -> Any:
    return page.locator("photo-tray li")


def summary(page: Page) -> Any:
    return page.locator("photo-tray .summary")


def said(page: Page) -> Any:
    return page.locator("photo-tray > [role=status]")


def outage(page: Page) -> Any:
    return page.locator("photo-tray .outage")


def choose(page: Page, count: int) -> None:
    page.goto("/")
    page.set_input_files("#photo", photos(count))


def test_several_photos_are_answered_each_on_its_card(page: Page, expect: Any) -> None:
    choose(page, 5)
    expect(cards(page)).to_have_count(5)
    expect(summary(page)).to_contain_text("5 of 5 answered")
    for card in cards(page).all():
        expect(card.locator("strong")).to_have_text(WORDS)
        expect(card.locator(".words small")).to_contain_text("% for a cat")
        expect(card.locator(".picture img")).to_be_visible()
    expect(said(page)).to_contain_text("5 of 5 answered")
    expect(page.locator("prediction-result")).to_be_hidden()


def test_one_photo_has_the_large_view_and_no_tray(page: Page, expect: Any) -> None:
    choose(page, 1)
    expect(page.locator("prediction-result[data-kind=answered]")).to_be_visible()
    expect(page.locator("photo-tray")).to_be_hidden()


def test_a_card_opens_the_large_view_with_everything_and_the_way_back_leads_to_the_card(
    page: Page, expect: Any
) -> None:
    choose(page, 3)
    expect(summary(page)).to_contain_text("3 of 3")
    cards(page).nth(1).locator(".open").press("Enter")
    headline = page.locator("prediction-result h2")
    expect(headline).to_be_focused()
    expect(page.get_by_alt_text("Your photo: cat-1.jpg")).to_be_visible()
    expect(page.get_by_role("button", name="Show where it looked")).to_be_visible()
    expect(page.locator("feedback-question")).to_be_visible()
    expect(page.get_by_text("2 of 3", exact=True)).to_be_visible()
    page.get_by_role("button", name="Next").press("Enter")
    expect(page.get_by_alt_text("Your photo: cat-2.jpg")).to_be_visible()
    page.get_by_role("button", name="Next").press("Enter")  # there is none: nothing happens
    expect(page.get_by_alt_text("Your photo: cat-2.jpg")).to_be_visible()
    page.go_back()
    expect(page.locator("photo-tray")).to_be_visible()
    expect(cards(page).nth(2).locator(".open")).to_be_focused()


def test_on_a_phone_a_card_opens_with_photo_and_answer_both_in_sight(page: Page, expect: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    choose(page, 12)
    expect(summary(page)).to_contain_text("12 of 12")
    cards(page).nth(9).locator(".open").click()
    expect(page.locator("prediction-result h2")).to_be_focused()
    expect(page.locator("prediction-result h2")).to_be_in_viewport(ratio=1)
    expect(page.get_by_alt_text("Your photo: cat-9.jpg")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="All photos")).to_be_in_viewport(ratio=1)  # the way back, too


def test_of_many_photos_only_some_can_be_shown(page: Page, expect: Any, faults: Faults) -> None:
    faults.expected_statuses = {415}
    broken = [{"name": f"notes-{i}.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"} for i in range(2)]
    page.goto("/")
    page.set_input_files("#photo", [*photos(4), *broken])
    expect(summary(page)).to_contain_text("2 could not be answered")
    seen = page.locator("photo-tray li:visible")
    show = page.get_by_label("Show", exact=True)
    show.select_option("without an answer")
    expect(seen.locator(".name")).to_have_text(["notes-0.jpg", "notes-1.jpg"])
    seen.nth(0).get_by_role("button", name="Remove").press("Enter")
    expect(seen.locator(".open")).to_be_focused()  # the neighbour that is seen
    seen.get_by_role("button", name="Remove").press("Enter")
    expect(page.get_by_text("None of them.")).to_be_visible()
    expect(page.get_by_role("heading", name="Your photos")).to_be_focused()
    page.set_input_files("#photo", photos(1))
    expect(show).to_have_value("")  # a photo that is added is seen
    expect(seen).to_have_count(5)


def test_a_reply_to_one_photo_is_still_there_when_it_is_opened_again(page: Page, expect: Any) -> None:
    page.route("**/api/feedback", lambda route: route.fulfill(json={}))
    choose(page, 2)
    cards(page).nth(0).locator(".open").click()
    page.locator("feedback-question button").first.click()
    expect(page.locator("feedback-question")).to_have_attribute("data-kind", "noted")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("feedback-question [aria-pressed=true]")).to_have_count(0)
    page.get_by_role("button", name="Previous").click()
    expect(page.locator("feedback-question [aria-pressed=true]")).to_have_count(1)


def test_a_file_that_is_no_photo_fails_alone_and_says_why_when_opened(page: Page, expect: Any, faults: Faults) -> None:
    faults.expected_statuses = {415}
    page.goto("/")
    text = {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"This is a text."}
    page.set_input_files("#photo", [*photos(2), text])
    expect(summary(page)).to_contain_text("2 of 3 answered")
    expect(summary(page)).to_contain_text("1 could not be answered")
    failed = cards(page).nth(2)
    expect(failed.locator("strong")).to_have_text("This is not a photo we can read")
    expect(failed.get_by_role("button", name="Try again")).to_be_hidden()  # it would not help
    failed.locator(".open").click()
    expect(page.locator("prediction-result .sentence", has_text="none of JPEG, PNG")).to_be_visible()


def test_no_more_than_a_few_are_on_their_way_at_once(page: Page, expect: Any) -> None:
    held: list[Route] = []
    page.route(HELD_ROUTES, lambda route: held.append(route))
    choose(page, 8)
    expect(page.locator("photo-tray li[data-kind=asking]")).to_have_count(AT_ONCE)
    page.evaluate("new Promise((done) => setTimeout(done, 300))")  # time for a fourth
    assert len(held) == AT_ONCE
    held[0].continue_()
    expect(page.locator("photo-tray li[data-kind=answered]")).to_have_count(1)
    expect(page.locator("photo-tray li[data-kind=asking]")).to_have_count(AT_ONCE)
    page.unroute_all(behavior="ignoreErrors")


def test_one_is_cancelled_then_all_and_then_asked_again(page: Page, expect: Any) -> None:
    page.route(HELD_ROUTES, lambda route: None)  # never answers
    choose(page, 6)
    page.get_by_role("button", name="Cancel: cat-0.jpg").press("Enter")
    expect(page.locator("photo-tray li[data-kind=cancelled]")).to_have_count(1)
    page.get_by_role("button", name="Cancel all").press("Enter")
    expect(page.locator("photo-tray li[data-kind=cancelled]")).to_have_count(6)
    expect(page.get_by_role("heading", name="Your photos")).to_be_focused()  # the pressed button is gone
    page.unroute_all(behavior="ignoreErrors")
    page.get_by_role("button", name="Try again: cat-3.jpg").click()
    expect(page.locator("photo-tray li[data-kind=answered]")).to_have_count(1)
    page.get_by_role("button", name="Try again", exact=True).click()
    expect(summary(page)).to_contain_text("6 of 6 answered")


def test_photos_are_removed_and_the_focus_goes_on(page: Page, expect: Any) -> None:
    choose(page, 3)
    expect(summary(page)).to_contain_text("3 of 3")
    page.get_by_role("button", name="Remove cat-0.jpg").press("Enter")
    expect(cards(page)).to_have_count(2)
    expect(cards(page).nth(0).locator(".open")).to_be_focused()
    page.get_by_role("button", name="Remove cat-1.jpg").press("Enter")
    expect(page.get_by_alt_text("Your photo: cat-2.jpg")).to_be_visible()  # the only one is shown large
    expect(page.locator("prediction-result h2")).to_be_focused()
    page.set_input_files("#photo", photos(3))
    page.get_by_role("button", name="Remove all").press("Enter")
    expect(page.get_by_role("heading", name="The answer comes here")).to_be_visible()
    expect(page.get_by_label("Choose a photo")).to_be_focused()


def test_removed_pictures_give_their_memory_back(page: Page, expect: Any) -> None:
    page.add_init_script(
        """(() => {
            const [create, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
            window.urls = new Set();
            URL.createObjectURL = (blob) => { const url = create(blob); urls.add(url); return url; };
            URL.revokeObjectURL = (url) => { urls.delete(url); revoke(url); };
        })()"""
    )
    choose(page, 4)
    expect(page.locator("photo-tray .picture img")).to_have_count(4)
    page.get_by_role("button", name="Remove all").click()
    expect(page.locator("photo-drop figure")).to_be_hidden()
    wait_until(lambda: page.evaluate("urls.size === 0"), "no picture is held")


def test_two_hundred_photos_leave_the_page_responsive(page: Page, expect: Any, tmp_path: Path) -> None:
    prediction = {
        "prediction_id": "018f0000-0000-7000-8000-000000000000",
        "label": "cat",
        "confidence": 0.9,
        "cat_probability": 0.9,
        "certain": True,
        "model": {"name": "catnet", "version": "1"},
        "image": {"format": "JPEG", "width": 640, "height": 480},
        "timings_ms": {"decode": 1.0, "forward": 1.0, "total": 2.0},
    }
    page.route(HELD_ROUTES, lambda route: route.fulfill(json=prediction))
    page.goto("/")
    paths = [tmp_path / f"cat-{i}.jpg" for i in range(MANY)]  # bytes would be made into files by the page itself
    for i, path in enumerate(paths):
        path.write_bytes(photo(i % 5))
    with page_tasks(page) as tasks:
        page.set_input_files("#photo", paths)
        expect(cards(page)).to_have_count(MANY)
        cards(page).nth(0).locator(".open").click()  # while the others are on their way
        expect(page.get_by_alt_text("Your photo: cat-0.jpg")).to_be_visible()
        page.get_by_role("button", name="All photos").click()
        expect(summary(page)).to_contain_text(f"{MANY} of {MANY} answered", timeout=120_000)
    assert max(tasks) < LONGEST_TASK_MILLISECONDS
    assert page.locator("photo-tray .picture img").count() < MANY, "pictures that nobody sees are not made"


def test_too_many_photos_are_said_and_the_first_are_taken(page: Page, expect: Any) -> None:
    page.route(HELD_ROUTES, lambda route: None)
    page.goto("/")
    tiny = encoded(drawn_cat(8, 8), "PNG")
    page.set_input_files("#photo", [{"name": f"{i}.png", "mimeType": "image/png", "buffer": tiny} for i in range(501)])
    expect(cards(page)).to_have_count(500)
    expect(page.locator("photo-drop .notice")).to_contain_text("first 500 photos")


def test_a_dropped_folder_gives_its_photos_and_those_of_the_folders_in_it(
    page: Page, expect: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "pets"
    (folder / "more").mkdir(parents=True)
    (folder / "one.jpg").write_bytes(photo(1))
    (folder / "notes.txt").write_text("no photo")
    (folder / "more" / "two.png").write_bytes(encoded(drawn_cat(32, 32), "PNG"))
    page.goto("/")
    devtools = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 40, "y": 500, "data": data})
    expect(cards(page)).to_have_count(2)
    expect(summary(page)).to_contain_text("2 of 2 answered")
    expect(cards(page).locator(".name")).to_have_text(["two.png", "one.jpg"])


def test_an_outage_holds_all_photos_and_they_are_sent_by_themselves_afterwards(page: Page, expect: Any) -> None:
    page.goto("/")
    page.context.set_offline(True)
    page.set_input_files("#photo", photos(5))
    expect(outage(page)).to_contain_text("No connection to the service. Your photos are still here")
    expect(said(page)).to_contain_text("No connection")
    page.context.set_offline(False)
    expect(summary(page)).to_contain_text("5 of 5 answered")
    expect(outage(page)).to_be_hidden()


def test_a_busy_service_is_not_asked_by_all_photos_at_once_again(page: Page, expect: Any, faults: Faults) -> None:
    faults.expected_statuses = {429}
    asked: list[float] = []

    def busy_at_first(route: Route) -> None:
        asked.append(time.monotonic())
        if len(asked) <= AT_ONCE:
            route.fulfill(status=429, headers={"Retry-After": "3"}, body=json.dumps({}))
        else:
            route.fallback()

    page.route(HELD_ROUTES, busy_at_first)
    choose(page, 5)
    expect(outage(page)).to_contain_text("Many people are asking right now")
    expect(summary(page)).to_contain_text("5 of 5 answered")
    assert asked[AT_ONCE] - asked[AT_ONCE - 1] > 2.5


def test_the_keyboard_alone_goes_through_the_tray(page: Page, expect: Any) -> None:
    choose(page, 2)
    expect(summary(page)).to_contain_text("2 of 2")
    page.get_by_role("button", name="Remove all").focus()
    names = []
    for _ in range(4):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.className"))
    assert names == ["open", "quiet remove", "open", "quiet remove"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("prediction-result h2")).to_be_focused()


def test_a_card_fits_in_any_language_direction(new_context: Callable[..., BrowserContext], expect: Any) -> None:
    page = new_context(viewport={"width": 360, "height": 800}).new_page()
    choose(page, 3)
    expect(summary(page)).to_contain_text("3 of 3")
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    picture = cards(page).nth(0).locator(".picture").bounding_box()
    remove = cards(page).nth(0).locator(".remove").bounding_box()
    assert picture and remove
    assert remove["x"] - picture["x"] < 20, "the button moves to the other corner"
