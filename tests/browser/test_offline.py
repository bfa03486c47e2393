"""Who keeps photos on the device goes on without the network: the page opens, answers, and is never an old one.

The network is gone here because the gateway is: its process is ended.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from redis_server import ROOT

from tests.browser.conftest import Faults
from tests.pictures import photo
from tests.processes import Catnet, run_catnet

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

SWITCH = "Keep my photo on this device"
READY = "Ready. This page now opens and answers without a connection too."
ANSWER = re.compile(r"Yes, a cat\.|No, not a cat\.|Not sure\.")
KEPT = """async () => Object.fromEntries(await Promise.all((await caches.keys()).map(async (name) =>
    [name, (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)])))"""
WAIT_FOR_ANOTHER_COPY = """async (before) => {
    const copies = async () => (await caches.keys()).filter((name) => name.startsWith("catnet-page-"));
    for (let names = await copies(); names.length !== 1 || before.includes(names[0]); names = await copies()) {
        await new Promise((done) => setTimeout(done, 50));
    }
}"""

WAIT_FOR_NOTHING_KEPT = """async () => {
    const kept = async () => (await navigator.serviceWorker.getRegistrations()).length + (await caches.keys()).length;
    while (await kept() > 0) await new Promise((done) => setTimeout(done, 50));
}"""


@pytest.fixture(scope="module")
def frontend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages in a folder where a test may change them."""
    folder = tmp_path_factory.mktemp("pages") / "frontend"
    shutil.copytree(ROOT / "frontend", folder, ignore=shutil.ignore_patterns("node_modules", "tests"))
    return folder


@pytest.fixture(scope="module")
def running_catnet(tmp_path_factory: pytest.TempPathFactory, frontend: Path) -> Iterator[Catnet]:
    """Services of their own, as these tests end the gateway."""
    with run_catnet(tmp_path_factory.mktemp("offline"), FRONTEND_DIR=str(frontend)) as catnet:
        yield catnet


@pytest.fixture
def without_gateway(running_catnet: Catnet, faults: Faults) -> Iterator[Callable[[], None]]:
    """A function that ends the gateway; it is there again for the next test."""

    def end() -> None:
        running_catnet.gateway.kill()

    faults.expected_statuses = {502, 503, 504}
    yield end
    if not running_catnet.gateway.is_running():
        running_catnet.gateway.start()
        running_catnet.gateway.wait_ready()


@pytest.fixture
def context(new_context: Callable[..., BrowserContext]) -> BrowserContext:
    return new_context()


def keep_on_device(page: Page, expect: Any) -> None:
    page.goto("/")
    page.get_by_label(SWITCH).check()
    expect(page.locator("#on-device-words")).to_have_text(READY, timeout=30_000)


def choose_photo(page: Page, expect: Any) -> None:
    page.set_input_files("#photo", {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    expect(page.locator("prediction-result h2")).to_have_text(ANSWER)


def copies(page: Page) -> list[str]:
    return [name for name in page.evaluate(KEPT) if name.startswith("catnet-page-")]


def test_the_classifier_opens_and_answers_without_the_network(
    context: BrowserContext, expect: Any, without_gateway: Callable[[], None]
) -> None:
    page = context.new_page()
    keep_on_device(page, expect)
    choose_photo(page, expect)
    said = page.locator("prediction-result .sentence").inner_text()
    page.close()

    without_gateway()
    page = context.new_page()
    page.goto("/?from=bookmark")
    expect(page.get_by_label(SWITCH)).to_be_checked()
    choose_photo(page, expect)
    expect(page.locator("prediction-result .sentence")).to_have_text(said)
    page.reload()
    choose_photo(page, expect)


def test_a_page_that_was_open_before_the_network_went_answers_its_first_photo(
    context: BrowserContext, expect: Any, without_gateway: Callable[[], None]
) -> None:
    page = context.new_page()
    keep_on_device(page, expect)
    page.reload()
    expect(page.locator("#on-device-words")).to_have_text(READY)
    without_gateway()
    choose_photo(page, expect)


def test_no_answer_and_no_photo_is_ever_kept(context: BrowserContext, expect: Any) -> None:
    page = context.new_page()
    keep_on_device(page, expect)
    page.reload()  # now under the service worker
    choose_photo(page, expect)
    page.get_by_label(SWITCH).uncheck()
    choose_photo(page, expect)  # by the service
    page.get_by_label(SWITCH).check()
    expect(page.locator("#on-device-words")).to_have_text(READY)
    kept = page.evaluate(KEPT)
    assert kept.pop("catnet-model") == ["/kept-model/model.safetensors", "/kept-model/manifest.json"]
    ((_, paths),) = kept.items()
    assert "/" in paths and "/static/index.js" in paths
    assert [path for path in paths if path != "/" and not path.startswith("/static/")] == []


def test_a_deploy_is_seen_at_once_and_kept_as_a_whole(
    context: BrowserContext, expect: Any, without_gateway: Callable[[], None], frontend: Path
) -> None:
    page = context.new_page()
    keep_on_device(page, expect)
    before = copies(page)
    for name, old, new in (
        ("index.html", "<h1>Is it a cat?</h1>", "<h1>Is this a cat?</h1>"),
        ("lib/prediction-words.js", "Yes, a cat.", "Yes, a cat. Really."),
        ("lib/prediction-words.js", "No, not a cat.", "No, not a cat. Really."),
        ("lib/prediction-words.js", "Not sure.", "Not sure. Really."),
    ):
        text = (frontend / name).read_text()
        assert old in text
        (frontend / name).write_text(text.replace(old, new))

    page.reload()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Is this a cat?")  # the first time already
    page.evaluate(WAIT_FOR_ANOTHER_COPY, before)
    assert len(copies(page)) == 1, "the copy before is still here"

    without_gateway()
    page.reload()
    expect(heading).to_have_text("Is this a cat?")
    choose_photo(page, expect)
    expect(page.locator("prediction-result h2")).to_contain_text("Really.")


def test_who_comes_back_to_the_network_gets_the_page_from_there(
    context: BrowserContext, expect: Any, without_gateway: Callable[[], None], running_catnet: Catnet, frontend: Path
) -> None:
    page = context.new_page()
    keep_on_device(page, expect)
    without_gateway()
    page.reload()
    choose_photo(page, expect)
    text = (frontend / "index.html").read_text()
    (frontend / "index.html").write_text(text.replace("<h1>", "<h1>Back: "))
    running_catnet.gateway.start()
    running_catnet.gateway.wait_ready()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Back: ")


def test_nothing_is_kept_before_it_is_asked_for_nor_after_it_is_switched_off(
    context: BrowserContext, expect: Any, without_gateway: Callable[[], None]
) -> None:
    page = context.new_page()
    page.goto("/")
    registrations = "async () => (await navigator.serviceWorker.getRegistrations()).length"
    assert (page.evaluate(registrations), page.evaluate(KEPT)) == (0, {})
    keep_on_device(page, expect)
    assert (page.evaluate(registrations), len(page.evaluate(KEPT))) == (1, 2)
    page.get_by_label(SWITCH).uncheck()
    expect(page.locator("#on-device-words")).to_be_hidden()
    page.evaluate(WAIT_FOR_NOTHING_KEPT)
    page.reload()
    assert (page.evaluate(registrations), page.evaluate(KEPT)) == (0, {})
