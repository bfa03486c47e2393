"""Whatever is sent, the answer says what is wrong with it, soon, and the services stay up."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.client import Client
from tests.pictures import bomb_png, photo, truncated_photo
from tests.processes import Catnet

ANSWER_SECONDS = 1.0
PROBLEM_FIELDS = {"type", "title", "status", "detail", "instance", "request_id"}


def sent(image: bytes, *, field: str = "file", name: str = "cat.jpg") -> dict[str, object]:
    return {"method": "POST", "files": {field: (name, image, "image/jpeg")}}


CASES: dict[str, tuple[dict[str, object], int]] = {
    "no file": ({"method": "POST", "files": {"other": (None, "text")}}, 400),
    "no body": ({"method": "POST"}, 400),
    "a body that is no form": (
        {"method": "POST", "content": b"x" * 100, "headers": {"content-type": "multipart/form-data; boundary=b"}},
        400,
    ),
    "an empty file": (sent(b""), 400),
    "a text file named cat.jpg": (sent(b"I am a cat, believe me.\n" * 20), 415),
    "a truncated JPEG": (sent(truncated_photo()), 422),
    "a body of 20 MB": (sent(photo() + bytes(20_000_000)), 413),
    "a small PNG of 20,000 x 20,000 pixels": (sent(bomb_png(), name="cat.png"), 422),
    "a wrong field name": (sent(photo(), field="picture"), 400),
    "a wrong method": ({"method": "GET"}, 405),
}


@pytest.fixture(scope="module")
def http(running_catnet: Catnet) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running_catnet.gateway_url, timeout=10, trust_env=False) as http:
        yield http


@pytest.mark.parametrize("name", CASES)
def test_it_gets_its_status_and_a_problem_body_within_a_second(
    running_catnet: Catnet, http: httpx.Client, name: str
) -> None:
    request, status = CASES[name]
    start = time.monotonic()
    response = http.request(url="/predict", **request)  # type: ignore[arg-type]
    seconds = time.monotonic() - start

    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) >= PROBLEM_FIELDS
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["x-request-id"]
    assert seconds < ANSWER_SECONDS
    for word in ("Traceback", "site-packages", ".py", "PIL", "/home", "/root"):
        assert word not in response.text


def test_an_undeclared_length_is_counted_while_it_streams(http: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(320):
            yield bytes(65536)

    start = time.monotonic()
    response = http.post("/predict", content=endless(), headers={"content-type": "application/octet-stream"})
    assert response.status_code == 413
    assert time.monotonic() - start < ANSWER_SECONDS


def test_the_services_stay_up_and_go_on_answering(running_catnet: Catnet, http: httpx.Client) -> None:
    before = [service.pid for service in running_catnet.services]
    for request, _ in CASES.values():
        http.request(url="/predict", **request)  # type: ignore[arg-type]
    assert all(service.is_running() for service in running_catnet.services)
    assert [service.pid for service in running_catnet.services] == before
    with Client(running_catnet.gateway_url) as client:
        assert client.predict(photo()).status_code == 200
