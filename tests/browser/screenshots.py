"""Take the README's screenshots: `make screenshots`, or python -m tests.browser.screenshots.

Starts services of its own, so that the dashboard shows this traffic and no other: the drawn pictures, each varied, sent
as real requests over a few minutes.
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
from tests.e2e.client import Client
from tests.processes import run_catnet

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = ROOT / "docs" / "images"
PHOTOS = 420
PHONE, DESKTOP = (390, 844), (1440, 900)
PIXEL_RATIO = {PHONE: 2, DESKTOP: 1}
TALLEST = {PHONE: 1500, DESKTOP: 3000}  # the whole dashboard on a desktop, its beginning on a phone


def send_traffic(client: Client, seconds: float) -> None:
    """Send the drawn pictures, more of them as time goes by, and wait until they are counted."""
    start = time.monotonic()
    pictures = [picture() for picture in PICTURES]
    for index in range(PHOTOS):
        time.sleep(max(0.0, start + seconds * (index / PHOTOS) ** 0.7 - time.monotonic()))
        client.predict(jpeg(variation(pictures[index % len(pictures)], index))).raise_for_status()
        if sys.stderr.isatty():
            print(f"\r{index + 1} of {PHOTOS} photos sent", end="", file=sys.stderr)
    client.wait_for_total(PHOTOS)


def open_classifier(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#photo", {"name": "ginger.jpg", "mimeType": "image/jpeg", "buffer": jpeg(cat())})
    page.locator("prediction-result[data-kind=answered]").wait_for()
    page.get_by_alt_text("Your photo").evaluate("image => image.decode()")


def open_dashboard(page: Page) -> None:
    page.goto("/dashboard?window=15m")
    page.locator(".panels[aria-busy=false]").wait_for()


def open_how_it_works(page: Page) -> None:
    from playwright.sync_api import expect

    page.goto("/how-it-works")
    page.locator("photo-choice[data-kind=shown]").wait_for()
    page.get_by_role("slider", name="Rotation").fill("24")
    page.locator("failure-explorer [role=status]:not(:empty)").wait_for(state="attached")
    whole_curve = re.compile(r"^(\S+ ){32}\S+$")
    expect(page.locator("failure-explorer polyline")).to_have_attribute("points", whole_curve, timeout=30_000)


PAGES = {"classifier": open_classifier, "how-it-works": open_how_it_works, "dashboard": open_dashboard}


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
