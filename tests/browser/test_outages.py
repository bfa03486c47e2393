"""The pages while services end underneath: they say so, keep what was there, and recover by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Faults
from tests.e2e.client import Client
from tests.pictures import photo
from tests.processes import Catnet, run_catnet

if TYPE_CHECKING:
    from playwright.sync_api import Page

HEARTBEAT_PATIENCE_MILLISECONDS = 60_000  # the monitor's heartbeat comes every 15 seconds
ANSWER = re.compile(r"Yes, a cat\.|No, not a cat\.|Not sure\.")


@pytest.fixture(scope="module")
def running_catnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catnet]:
    """Services of their own, as these tests end them."""
    with run_catnet(tmp_path_factory.mktemp("outages")) as catnet:
        yield catnet


@pytest.mark.parametrize(("name", "words"), [("gateway", "No connection"), ("monitor", "monitor cannot be reached")])
def test_a_dashboard_outlives_its_services(
    page: Page, expect: Any, faults: Faults, running_catnet: Catnet, name: str, words: str
) -> None:
    faults.expected_statuses = {502, 503, 504}
    service = getattr(running_catnet, name)
    total = page.locator("[data-figure=total] .figure")
    status = page.locator("live-status [role=status]")
    with Client(running_catnet.gateway_url) as client:
        client.predict(photo()).raise_for_status()
        client.wait_for_at_least(1)
        counted = client.total()
    page.goto("/dashboard")
    expect(status).to_have_text("Live")
    expect(total).to_have_text(str(counted))
    page.evaluate("window.notReloaded = true")

    service.kill()
    expect(status).to_contain_text("Stale since")
    expect(page.locator("live-status")).to_contain_text(words)
    expect(total).to_have_text(str(counted))

    service.start()
    service.wait_ready()
    expect(status).to_have_text("Live")
    with Client(running_catnet.gateway_url) as client:
        client.predict(photo()).raise_for_status()
    expect(total).to_have_text(str(counted + 1))
    assert page.evaluate("window.notReloaded") is True


def test_a_stream_that_only_beats_while_redis_is_away_does_not_pass_for_live_numbers(
    page: Page, expect: Any, faults: Faults, running_catnet: Catnet
) -> None:
    faults.expected_statuses = {502, 503, 504}
    status = page.locator("live-status [role=status]")
    with Client(running_catnet.gateway_url) as client:
        client.predict(photo()).raise_for_status()
        client.wait_for_at_least(1)
        counted = client.total()
    page.goto("/dashboard")
    expect(status).to_have_text("Live")

    running_catnet.redis.kill()
    expect(status).to_contain_text("Stale since", timeout=HEARTBEAT_PATIENCE_MILLISECONDS)
    expect(page.locator("[data-figure=total] .figure")).to_have_text(str(counted))

    running_catnet.redis.start()
    expect(status).to_have_text("Live", timeout=HEARTBEAT_PATIENCE_MILLISECONDS)


def test_a_photo_outlives_the_model(page: Page, expect: Any, faults: Faults, running_catnet: Catnet) -> None:
    faults.expected_statuses = {502, 503, 504}
    headline = page.locator("prediction-result h2")
    page.goto("/")
    running_catnet.inference.kill()
    page.set_input_files("#photo", {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    expect(headline).to_have_text(re.compile("The model (cannot be reached|is not ready)"))
    expect(page.get_by_alt_text("Your photo: cat.jpg")).to_be_visible()

    running_catnet.inference.start()
    running_catnet.inference.wait_ready()
    expect(headline).to_have_text(ANSWER, timeout=60_000)  # asked again by itself, at most half a minute later


def test_photos_outlive_the_gateway_and_go_on_by_themselves(
    page: Page, expect: Any, faults: Faults, running_catnet: Catnet
) -> None:
    faults.expected_statuses = {502, 503, 504}
    page.goto("/")
    page.evaluate("window.notReloaded = true")
    running_catnet.gateway.kill()
    files = [{"name": f"{i}.jpg", "mimeType": "image/jpeg", "buffer": photo(i)} for i in range(4)]
    page.set_input_files("#photo", files)
    expect(page.locator("photo-tray .outage")).to_contain_text("Your photos are still here")

    running_catnet.gateway.start()
    running_catnet.gateway.wait_ready()
    expect(page.locator("photo-tray .summary")).to_contain_text("4 of 4 answered", timeout=60_000)
    assert page.evaluate("window.notReloaded") is True
