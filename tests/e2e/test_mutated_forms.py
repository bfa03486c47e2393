"""However a form is broken, the answer is 2xx or 4xx and comes soon, and nothing is kept of it."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.pictures import drawn_cat, encoded
from tests.processes import Catnet

FORMS = 600
BOUNDARY = "b0undary"
ANSWER_SECONDS = 5.0
GROWTH_BYTES = 16 * 1024 * 1024


@pytest.fixture(scope="module")
def photo() -> bytes:
    return encoded(drawn_cat(96, 64))


def form(rng: random.Random, photo: bytes) -> tuple[bytes, str]:
    """A form's body and its content type, most of them wrong somewhere."""
    disposition = rng.choice(
        [
            'form-data; name="file"; filename="cat.jpg"',
            'form-data; name="file"',
            "form-data; name=file; filename*=utf-8''c%C3%A4t.jpg",
            'form-data; filename="file"',
            'attachment; name="file"',
            'form-data; name="file"; name="other"',
            "form-data; name=" + "f" * 5000,
            "",
        ]
    )
    part = f"Content-Disposition: {disposition}\r\nContent-Type: image/jpeg\r\n\r\n".encode() + photo
    parts = [part] * rng.choice([0, 1, 1, 1, 1, 2, 40])
    body = b"".join(b"--%b\r\n%b\r\n" % (BOUNDARY.encode(), part) for part in parts) + f"--{BOUNDARY}--\r\n".encode()
    content_type = rng.choice(
        [f"multipart/form-data; boundary={BOUNDARY}"] * 12
        + [
            f'multipart/form-data; boundary="{BOUNDARY}"',
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=" + "b" * 300,
            f"multipart/form-data; charset=utf-7; boundary={BOUNDARY}",
            f"multipart/mixed; boundary={BOUNDARY}",
        ]
    )
    return mutated(rng, body), content_type


def mutated(rng: random.Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(rng.choice([0, 1, 1, 2, 5])):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(5):
            case 0:
                changed[at : at + 1] = rng.randbytes(1)
            case 1:
                del changed[at : at + rng.randint(1, 200)]
            case 2:
                changed[at:at] = rng.choice([b"\r\n", b"\n", b"\0", f"--{BOUNDARY}".encode(), rng.randbytes(100)])
            case 3:
                changed[at:at] = changed[: rng.randint(0, 500)]
            case 4:
                del changed[at:]
    return bytes(changed)


def in_pieces(rng: random.Random, body: bytes) -> Iterator[bytes]:
    """The same body without a declared length, cut where it hurts."""
    while body:
        size = rng.choice([1, 7, 60, 1000, len(body)])
        yield body[:size]
        body = body[size:]


def test_mutated_forms(running_catnet: Catnet, photo: bytes) -> None:
    rng = random.Random(4)
    statuses: Counter[int] = Counter()
    slowest = 0.0
    pids = [service.pid for service in running_catnet.services]
    memory = [psutil.Process(service.pid) for service in (running_catnet.gateway, running_catnet.inference)]
    before: list[int] = []
    with httpx.Client(base_url=running_catnet.gateway_url, timeout=20, trust_env=False) as http:
        for index in range(FORMS):
            if index == FORMS // 6:  # what is held for good is held by now
                before = [process.memory_info().rss for process in memory]
            body, content_type = form(rng, photo)
            content = in_pieces(rng, body) if rng.random() < 0.2 and body else body
            start = time.monotonic()
            response = http.post("/predict", content=content, headers={"content-type": content_type})
            slowest = max(slowest, time.monotonic() - start)
            statuses[response.status_code] += 1
            assert response.status_code == 200 or response.headers["content-type"] == "application/problem+json"
    assert set(statuses) <= {200, 400, 413, 415, 422}, statuses
    assert min(statuses[200], statuses[400], statuses[415], statuses[422]) > 0, statuses
    assert slowest < ANSWER_SECONDS
    assert [service.pid for service in running_catnet.services] == pids
    assert all(service.is_running() for service in running_catnet.services)
    growth = [process.memory_info().rss - rss for process, rss in zip(memory, before, strict=True)]
    assert max(growth) < GROWTH_BYTES, growth
