"""What a visitor says of an answer reaches the service, can be changed, and is never lost silently."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.browser.conftest import Faults, failing, needs_route
from tests.e2e.client import Client
from tests.pictures import photo
from tests.processes import Catnet, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


def answered(page: Page) -> None:
    """Show a photo that the model takes for a cat."""

    def certain(route: Route) -> None:
        prediction = {**route.fetch().json(), "label": "cat", "cat_probability": 0.96, "certain": True}
        route.fulfill(json=prediction)

    page.route("**/predict", certain)
    page.goto("/")
    page.set_input_files("#photo", {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    page.locator("feedback-question").wait_for()


def reply(page: Page, words: str) -> Any:
    return page.get_by_role("group", name="Was this right?").get_by_role("button", name=words, exact=True)


def outcome(page: Page) -> Any:
    return page.locator("feedback-question [role=status]")


def test_a_reply_is_sent_with_the_prediction_and_what_it_really_was(page: Page, expect: Any) -> None:
    sent: list[Any] = []
    page.route("**/api/feedback", lambda route: (sent.append(route.request.post_data_json), route.fulfill(json={})))
    with page.expect_response("**/predict") as response:
        answered(page)

    reply(page, "No, not a cat").click()

    expect(outcome(page)).to_have_text("Thank you, noted. If that was a slip, press the other one.")
    expect(reply(page, "No, not a cat")).to_have_attribute("aria-pressed", "true")
    expect(reply(page, "Yes, a cat")).to_have_attribute("aria-pressed", "false")
    assert sent == [{"prediction_id": response.value.json()["prediction_id"], "label": "non-cat"}]


def test_a_reply_can_be_changed_and_the_same_again_is_not_sent_twice(page: Page, expect: Any) -> None:
    labels: list[str] = []

    def note(route: Route) -> None:
        labels.append(route.request.post_data_json["label"])
        route.fulfill(json={})

    page.route("**/api/feedback", note)
    answered(page)
    reply(page, "Yes, a cat").click()
    expect(outcome(page)).to_contain_text("Thank you")
    reply(page, "Yes, a cat").click()
    reply(page, "No, not a cat").click()
    expect(outcome(page)).to_have_text("Changed: only your last reply counts.")
    expect(reply(page, "Yes, a cat")).to_have_attribute("aria-pressed", "false")
    assert labels == ["cat", "non-cat"]


def test_a_reply_that_was_not_taken_says_so_and_can_be_given_again(page: Page, expect: Any, faults: Faults) -> None:
    page.route("**/api/feedback", lambda route: route.fulfill(json={}))
    for status, words in (
        (429, "many people are asking"),
        (503, "may not be counted yet"),
        (502, "something went wrong on our side"),
    ):
        faults.expected_statuses = {status}
        page.route("**/api/feedback", failing(status), times=1)
        answered(page)
        reply(page, "Yes, a cat").click()
        expect(outcome(page)).to_contain_text(words)
        expect(reply(page, "Yes, a cat")).to_have_attribute("aria-pressed", "false")
        reply(page, "Yes, a cat").click()
        expect(outcome(page)).to_contain_text("Thank you")


def test_a_reply_without_a_network_says_so(page: Page, expect: Any) -> None:
    answered(page)
    page.context.set_offline(True)
    reply(page, "Yes, a cat").click()
    expect(outcome(page)).to_contain_text("no connection")


def test_an_answer_that_the_service_forgot_is_not_asked_about_again(page: Page, expect: Any, faults: Faults) -> None:
    faults.expected_statuses = {404}
    body = json.dumps({"title": "Not Found", "status": 404})
    sent: list[str] = []
    page.route(
        "**/api/feedback",
        lambda route: (
            sent.append(route.request.url),
            route.fulfill(status=404, content_type="application/problem+json", body=body),
        ),
    )
    answered(page)
    reply(page, "Yes, a cat").click()
    expect(outcome(page)).to_contain_text("too long ago")
    expect(reply(page, "Yes, a cat")).to_have_attribute("aria-disabled", "true")
    reply(page, "No, not a cat").click(force=True)
    assert len(sent) == 1


def test_the_keyboard_alone_can_reply_and_stays_where_it_was(page: Page, expect: Any) -> None:
    page.route("**/api/feedback", lambda route: route.fulfill(json={}))
    answered(page)
    reply(page, "Yes, a cat").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(outcome(page)).to_contain_text("Thank you")
    expect(reply(page, "No, not a cat")).to_be_focused()


def test_a_reply_is_counted_by_the_monitor_and_a_change_replaces_it(
    page: Page, expect: Any, running_catnet: Catnet
) -> None:
    needs_route(running_catnet, "/api/feedback")
    with Client(running_catnet.gateway_url) as client:

        def feedback() -> Any:
            return client.report()["quality"]["feedback"]

        before = feedback()
        answered(page)
        reply(page, "Yes, a cat").click()
        expect(outcome(page)).to_contain_text("Thank you")
        reply(page, "No, not a cat").click()
        expect(outcome(page)).to_contain_text("Changed")

        def non_cats(confusion: Any) -> int:
            return confusion["cat"]["non-cat"] + confusion["non-cat"]["non-cat"]

        wait_until(lambda: feedback()["count"] == before["count"] + 1, "one reply is counted", seconds=15)
        assert non_cats(feedback()["confusion"]) == non_cats(before["confusion"]) + 1
