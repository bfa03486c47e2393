"""Take the README's screenshots: `make screenshots`, or python -m tests.browser.screenshots.

Starts services of its own, so that the dashboard shows this traffic and no other: the drawn pictures, each varied, sent
as real requests over a few minutes, some of them judged. The dashboard's other states are shown with made-up reports.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from redis_server import ROOT

from tests.browser.drawn_pictures import PICTURES, cat, jpeg, variation
from tests.browser.launch import launched_chromium
from tests.browser.live_reports import cut
from tests.browser.live_reports import open_dashboard as open_made_up_dashboard
from tests.browser.reports import empty_report, full_report
from tests.e2e.client import Client
from tests.processes import run_catnet

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FilePayload, Page

FOLDER = ROOT / "docs" / "images"
PHOTOS = 420
PHONE, DESKTOP = (390, 844), (1440, 900)
PIXEL_RATIO = {PHONE: 2, DESKTOP: 1}
TALLEST = {PHONE: 1500, DESKTOP: 3000}  # the whole dashboard on a desktop, its beginning on a phone


def send_traffic(client: Client, seconds: float) -> None:
    """Send the drawn pictures, more of them as time goes by, wait until they are counted, and judge every fourth."""
    start = time.monotonic()
    pictures = [picture() for picture in PICTURES]
    predictions: list[str] = []
    for index in range(PHOTOS):
        time.sleep(max(0.0, start + seconds * (index / PHOTOS) ** 0.7 - time.monotonic()))
        answer = client.predict(jpeg(variation(pictures[index % len(pictures)], index))).raise_for_status()
        predictions.append(answer.json()["prediction_id"])
        if sys.stderr.isatty():
            print(f"\r{index + 1} of {PHOTOS} photos sent", end="", file=sys.stderr)
    client.wait_for_total(PHOTOS)
    for index in range(0, PHOTOS, 4):
        label = "cat" if PICTURES[index % len(PICTURES)] is cat else "non-cat"
        reply = {"prediction_id": predictions[index], "label": label}
        client.http.post("/api/feedback", json=reply).raise_for_status()


def open_classifier(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#photo", {"name": "ginger.jpg", "mimeType": "image/jpeg", "buffer": jpeg(cat())})
    page.locator("prediction-result[data-kind=answered]").wait_for()
    page.get_by_alt_text("Your photo").evaluate("image => image.decode()")


def several_photos() -> list[FilePayload]:
    pictures = [picture() for picture in PICTURES]
    return [
        {"name": f"IMG_{1000 + index}.jpg", "mimeType": "image/jpeg", "buffer": jpeg(variation(picture, index))}
        for index, picture in enumerate(pictures * 4)
    ]


def open_several_photos(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#photo", several_photos())
    page.locator("photo-tray .summary", has_text="12 of 12 answered").wait_for()
    for card in page.locator("photo-tray li").all():
        card.scroll_into_view_if_needed()  # their pictures are made when they are seen
        card.locator("img").wait_for()
    page.evaluate("scrollTo(0, 0)")


def open_outage(page: Page) -> None:
    page.goto("/")
    page.context.set_offline(True)
    page.set_input_files("#photo", several_photos())
    page.locator("photo-tray .outage").wait_for()


def open_dashboard(page: Page) -> None:
    page.goto("/dashboard?window=15m")
    page.locator(".panels[aria-busy=false]").wait_for()


def open_loading_dashboard(page: Page) -> None:
    open_made_up_dashboard(page)


def open_empty_dashboard(page: Page) -> None:
    open_made_up_dashboard(page, empty_report())


def open_drifted_dashboard(page: Page) -> None:
    open_made_up_dashboard(page, full_report(drift_status="drift"))


def open_stale_dashboard(page: Page) -> None:
    open_made_up_dashboard(page, full_report())
    cut(page)


def open_how_it_works(page: Page) -> None:
    from playwright.sync_api import expect

    page.goto("/how-it-works")
    page.locator("photo-choice[data-kind=shown]").wait_for()
    page.get_by_role("slider", name="Rotation").fill("24")
    page.locator("failure-explorer [role=status]:not(:empty)").wait_for(state="attached")
    whole_curve = re.compile(r"^(\S+ ){32}\S+$")
    expect(page.locator("failure-explorer polyline")).to_have_attribute("points", whole_curve, timeout=30_000)
    page.evaluate("scrollTo(0, 0)")  # the bar of sections is where the page stands


PAGES = {
    "classifier": open_classifier,
    "photos": open_several_photos,
    "outage": open_outage,
    "how-it-works": open_how_it_works,
    "dashboard": open_dashboard,
    "dashboard-loading": open_loading_dashboard,
    "dashboard-empty": open_empty_dashboard,
    "dashboard-drift": open_drifted_dashboard,
    "dashboard-stale": open_stale_dashboard,
}


def take(browser: Browser, gateway_url: str, name: str, scheme: str, size: tuple[int, int]) -> Path:
    width, height = size
    page = browser.new_page(
        base_url=gateway_url,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion="reduce",  # a picture of the end of a movement, not of its middle
        device_scale_factor=PIXEL_RATIO[size],
    )
    PAGES[name](page)
    whole = page.evaluate("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": min(whole, TALLEST[size])}
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))
    page.close()
    path = FOLDER / f"{name}-{scheme}-{width}.png"
    shot.convert("RGB").save(path, optimize=True)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(prog="screenshots", description=__doc__)
    parser.add_argument("--seconds", type=float, default=240, help="how long to send photos (default: %(default)s)")
    seconds = parser.parse_args().seconds
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("screenshots: needs Chromium (apt install chromium)")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, run_catnet(Path(folder)) as catnet:
        with Client(catnet.gateway_url) as client:
            send_traffic(client, seconds)
        with launched_chromium(chromium) as browser:
            for name in PAGES:
                for scheme in ("light", "dark"):
                    for size in (PHONE, DESKTOP):
                        print(take(browser, catnet.gateway_url, name, scheme, size).relative_to(ROOT))


if __name__ == "__main__":
    main()
