"""More than one model is served: the visitor sees which one answered, and can ask another about the same photo."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from redis_server import ROOT

from tests.browser.conftest import Faults
from tests.e2e.client import Client
from tests.pictures import photo
from tests.processes import Catnet, run_catnet

if TYPE_CHECKING:
    from playwright.sync_api import Page

FIRST, SECOND = "catnet-mlp", "catnet-twin"


@pytest.fixture(scope="module")
def running_catnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catnet]:
    """Services of their own, which serve the same network under two names."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(ROOT / "models" / FIRST, folder / FIRST)
    shutil.copytree(ROOT / "models" / FIRST, folder / SECOND)
    for path in (folder / SECOND).glob("*/manifest.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "name": SECOND}))
    with run_catnet(tmp_path_factory.mktemp("two"), MODELS_DIR=str(folder), DEFAULT_MODEL=FIRST) as catnet:
        yield catnet


def picker(page: Page) -> Any:
    return page.get_by_label("Model that is asked")


def model_of_the_answer(page: Page) -> Any:
    facts = page.locator("prediction-result .facts div", has=page.get_by_text("Model", exact=True))
    return facts.locator("dd")


def choose_photo(page: Page) -> None:
    page.set_input_files("#photo", {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": photo()})


def test_another_model_is_asked_about_the_same_photo_and_kept_in_the_address(page: Page, expect: Any) -> None:
    page.goto("/")
    choose_photo(page)
    expect(model_of_the_answer(page)).to_contain_text(FIRST)
    picker(page).select_option(SECOND)
    expect(model_of_the_answer(page)).to_contain_text(SECOND)
    assert page.url.endswith(f"/?model={SECOND}")

    page.reload()
    expect(picker(page)).to_have_value(SECOND)
    choose_photo(page)
    expect(model_of_the_answer(page)).to_contain_text(SECOND)

    picker(page).select_option(label=f"{FIRST} (default)")
    expect(model_of_the_answer(page)).to_contain_text(FIRST)
    assert page.url.endswith("/")


def test_the_way_back_leads_to_the_model_before(page: Page, expect: Any) -> None:
    page.goto("/")
    choose_photo(page)
    picker(page).select_option(SECOND)
    expect(model_of_the_answer(page)).to_contain_text(SECOND)
    page.go_back()
    expect(model_of_the_answer(page)).to_contain_text(FIRST)
    expect(picker(page)).to_have_value("")


def test_a_place_on_the_page_is_no_new_question(page: Page, expect: Any) -> None:
    page.goto("/")
    choose_photo(page)
    expect(model_of_the_answer(page)).to_contain_text(FIRST)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_text("Skip to the photo").focus()
    page.keyboard.press("Enter")
    page.go_back()
    assert not [url for url in asked if "/predict" in url]


def test_a_link_to_a_model_that_is_gone_is_answered_by_the_default(page: Page, expect: Any) -> None:
    page.goto("/?model=gone")
    choose_photo(page)
    expect(model_of_the_answer(page)).to_contain_text(FIRST)
    expect(picker(page)).to_have_value("")


def test_a_model_that_leaves_meanwhile_is_explained(page: Page, expect: Any, faults: Faults) -> None:
    faults.expected_statuses = {404}
    page.route("**/predict?*", lambda route: route.fulfill(status=404))
    page.goto(f"/?model={SECOND}")
    choose_photo(page)
    expect(page.locator("prediction-result h2")).to_have_text("This model is not served any more")


def test_where_the_list_is_not_to_be_had_there_is_no_picker_and_the_named_model_is_asked(
    page: Page, expect: Any, faults: Faults
) -> None:
    faults.expected_statuses = {502}
    page.route("**/api/models", lambda route: route.fulfill(status=502))
    page.goto(f"/?model={SECOND}")
    choose_photo(page)
    expect(model_of_the_answer(page)).to_contain_text(SECOND)
    expect(picker(page)).to_have_count(0)


def test_one_model_alone_is_nothing_to_choose_from(page: Page, expect: Any) -> None:
    def only_the_first(route: Any) -> None:
        models = route.fetch().json()["models"]
        route.fulfill(json={"models": [model for model in models if model["name"] == FIRST]})

    page.route("**/api/models", only_the_first)
    with page.expect_response("**/api/models"):
        page.goto("/")
    choose_photo(page)
    expect(model_of_the_answer(page)).to_contain_text(FIRST)
    expect(page.locator("model-picker")).to_be_hidden()


def test_the_dashboard_shows_the_numbers_of_the_model_that_is_chosen(
    page: Page, expect: Any, running_catnet: Catnet
) -> None:
    with Client(running_catnet.gateway_url) as client:
        client.http.post(f"/predict?model={SECOND}", files={"file": ("cat.jpg", photo())}).raise_for_status()
        client.predict(photo()).raise_for_status()
    subject = page.locator(".subject")
    model = page.get_by_label("Model", exact=True)
    page.goto("/dashboard?window=15m&answer=cat")
    expect(subject).to_contain_text(f"{FIRST}/1")
    expect(model.locator("option")).to_have_text([f"{FIRST} (default)", SECOND])

    model.select_option(SECOND)
    expect(subject).to_contain_text(f"{SECOND}/1")
    assert page.url.endswith(f"/dashboard?window=15m&answer=cat&model={SECOND}")
    page.get_by_role("link", name="1 hour").click()
    expect(subject).to_contain_text(f"{SECOND}/1")
    assert page.url.endswith(f"/dashboard?window=1h&answer=cat&model={SECOND}")
    page.reload()
    expect(model).to_have_value(SECOND)
    expect(subject).to_contain_text(f"{SECOND}/1")
    page.go_back()
    page.go_back()
    expect(model).to_have_value("")
    expect(subject).to_contain_text(f"{FIRST}/1")
