"""Thousands of damaged images, of every format: each is answered, none hangs, and inference stays as it was."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from PIL import Image
from preflight import free_port
from redis_server import RedisServer

from shared.nnlib.tests.heic_parts import grey, heic
from tests.mutations import mutated
from tests.pictures import drawn_cat, encoded, photo
from tests.processes import ServiceProcess

SEED = 20260101
IMAGES = 2400
WARM_UP = 400
"""Images after which all that is loaded and kept once is there."""
CONNECTIONS = 4
ANSWER_SECONDS = 5.0
GROWTH_MEGABYTES = 40.0
EXPECTED = {200, 400, 415, 422}


@pytest.fixture
def inference(redis_server: RedisServer, tmp_path: Path) -> Iterator[ServiceProcess]:
    environment = {"REDIS_URL": redis_server.url, "LOG_LEVEL": "warning"}
    process = ServiceProcess("inference", free_port(), environment, tmp_path / "inference.log")
    process.start()
    process.wait_ready()
    yield process
    process.stop()


def sound_images() -> dict[str, list[bytes]]:
    """By format, small images of several kinds: grey, with transparency, animated, progressive, with EXIF."""
    picture = drawn_cat(120, 90)
    turned = Image.Exif()
    turned[0x0112] = 6
    clear = picture.convert("RGBA")
    clear.putalpha(128)
    frames = [drawn_cat(60, 60, seed=seed) for seed in range(3)]

    def saved(image: Image.Image, image_format: str, **options: object) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, image_format, **options)
        return buffer.getvalue()

    animated = {"save_all": True, "append_images": frames[1:]}
    deep = Image.fromarray(np.arange(80 * 80, dtype=np.uint16).reshape(80, 80) * 10)
    return {
        "JPEG": [
            encoded(picture),
            saved(picture, "JPEG", progressive=True, exif=turned),
            saved(picture.convert("CMYK"), "JPEG"),
            saved(picture.convert("L"), "JPEG"),
        ],
        "PNG": [
            encoded(picture, "PNG"),
            saved(clear, "PNG"),
            saved(picture.quantize(16), "PNG"),
            saved(deep, "PNG"),
        ],
        "WEBP": [
            encoded(picture, "WEBP"),
            saved(clear, "WEBP", lossless=True, exif=turned),
            saved(frames[0], "WEBP", **animated),
        ],
        "GIF": [encoded(picture, "GIF"), saved(frames[0], "GIF", **animated)],
        "BMP": [encoded(picture, "BMP"), saved(picture.quantize(16), "BMP"), saved(picture.convert("1"), "BMP")],
        "TIFF": [
            saved(picture, "TIFF", compression=compression) for compression in (None, "tiff_lzw", "jpeg", "packbits")
        ]
        + [saved(picture.convert("CMYK"), "TIFF"), saved(deep, "TIFF"), saved(frames[0], "TIFF", **animated)],
        "AVIF": [encoded(picture, "AVIF"), saved(clear, "AVIF", exif=turned)],
        "HEIC": [heic(grey(64, 48)), heic(grey(96, 96), quarter_turns=1)],
    }


def test_every_sound_image_is_predicted(inference: ServiceProcess) -> None:
    """Else the mutations would only ever meet the first check."""
    with httpx.Client(base_url=inference.url, timeout=10, trust_env=False) as http:
        for image_format, images in sound_images().items():
            for image in images:
                answer = http.post("/predict", content=image)
                assert answer.status_code == 200, image_format
                assert answer.json()["image"]["format"] == image_format


def test_damaged_images_are_answered_and_leave_inference_as_it_was(inference: ServiceProcess) -> None:
    rng = np.random.default_rng(SEED)
    formats = list(sound_images().values())
    damaged = [mutated(formats[i % len(formats)], rng) for i in range(IMAGES)]
    process = psutil.Process(inference.pid)
    statuses: Counter[int] = Counter()

    with httpx.Client(base_url=inference.url, timeout=ANSWER_SECONDS, trust_env=False) as http:

        def ask(image: bytes) -> int:
            answer = http.post("/predict", content=image, headers={"Content-Type": "application/octet-stream"})
            if answer.status_code != 200:
                assert set(answer.json()) >= {"title", "status", "detail"}
            return answer.status_code

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            statuses.update(pool.map(ask, damaged[:WARM_UP]))
            before = process.memory_info().rss, process.num_fds()
            statuses.update(pool.map(ask, damaged[WARM_UP:]))
        after = process.memory_info().rss, process.num_fds()
        began = time.monotonic()
        assert http.post("/predict", content=photo()).status_code == 200
        assert time.monotonic() - began < ANSWER_SECONDS

    assert set(statuses) <= EXPECTED, statuses
    assert statuses.total() == IMAGES
    assert statuses[200] > IMAGES / 20  # some damage is none: the decoders are reached, to their end
    assert statuses[422] > IMAGES / 4
    assert (after[0] - before[0]) / 1e6 < GROWTH_MEGABYTES
    assert after[1] <= before[1] + CONNECTIONS
    assert process.is_running()
