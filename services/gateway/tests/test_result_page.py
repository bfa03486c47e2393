"""A browser without JavaScript gets its answer as a page; everyone else gets JSON, as before."""

from __future__ import annotations

import pytest
from httpx import Response

from services.gateway.tests.conftest import LIMIT_BYTES, StartGateway
from services.gateway.tests.running_gateway import RunningGateway
from services.gateway.tests.scripted_upstream import ScriptedUpstream, answer

pytestmark = pytest.mark.anyio

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
PHOTO = bytes(range(256))
PREDICTION = {
    "label": "cat",
    "cat_probability": 0.962,
    "certain": True,
    "model": {"name": "catnet", "version": "1"},
    "image": {"format": "JPEG", "width": 640, "height": 480},
}


@pytest.fixture(autouse=True)
def answering(inference: ScriptedUpstream) -> None:
    inference.behave = answer(PREDICTION)


async def post_form(gateway: RunningGateway, photo: bytes = PHOTO, *, accept: str = BROWSER) -> Response:
    return await gateway.http.post("/predict", files={"file": ("cat.jpg", photo)}, headers={"accept": accept})


def assert_page(response: Response, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<script" not in response.text
    assert "style=" not in response.text
    return response.text


@pytest.mark.parametrize(
    ("prediction", "words", "percent"),
    [
        ({"label": "cat", "cat_probability": 0.962, "certain": True}, "Yes, a cat.", "96.2 %"),
        ({"label": "non-cat", "cat_probability": 0.04, "certain": True}, "No, not a cat.", "only 4.0 %"),
        ({"label": "cat", "cat_probability": 0.58, "certain": False}, "Not sure.", "58.0 %"),
    ],
)
async def test_a_form_of_a_browser_is_answered_in_words(
    gateway: RunningGateway, inference: ScriptedUpstream, prediction: dict[str, object], words: str, percent: str
) -> None:
    inference.behave = answer(PREDICTION | prediction)
    page = assert_page(await post_form(gateway), 200)
    assert f">{words}</h1>" in page
    assert percent in page


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("text/html, application/json;q=0.9", True),
        ("*/*", False),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", False),  # Java's HttpURLConnection
        ("application/json", False),
        ("application/json, text/html;q=0.9", False),
        ("text/html;q=0.5, */*", False),
        ("text/html, application/*", False),
        ("text/html;q=0", False),
        ("text/html;q=nonsense", False),
        ("", False),
    ],
)
async def test_a_page_is_for_those_who_prefer_it(gateway: RunningGateway, accept: str, is_page: bool) -> None:
    response = await post_form(gateway, accept=accept)
    assert (response.headers["content-type"] == "text/html; charset=utf-8") == is_page
    if not is_page:
        assert response.json() == PREDICTION


async def test_bare_bytes_are_answered_in_json_whatever_is_preferred(gateway: RunningGateway) -> None:
    headers = {"accept": BROWSER, "content-type": "image/jpeg"}
    response = await gateway.http.post("/predict", content=PHOTO, headers=headers)
    assert response.json() == PREDICTION


async def test_what_comes_from_elsewhere_is_text_on_the_page(
    gateway: RunningGateway, inference: ScriptedUpstream
) -> None:
    model = {"name": "<script>alert(1)</script>", "version": '"1"'}
    inference.behave = answer(PREDICTION | {"model": model})
    page = assert_page(await post_form(gateway), 200)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;, version &quot;1&quot;" in page


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "This model is not served"),
        (415, "This is not a photo we can read"),
        (422, "This photo is broken or has too many pixels"),
        (503, "The model is not ready"),
        (500, "Something went wrong on our side"),
    ],
)
async def test_a_refusal_of_inference_keeps_its_status_and_gets_words(
    gateway: RunningGateway, inference: ScriptedUpstream, status: int, words: str
) -> None:
    problem = {"title": "Title", "status": status, "detail": "A <b>.", "request_id": "r-1"}
    inference.behave = answer(problem, status=status, content_type="application/problem+json")
    page = assert_page(await post_form(gateway), status)
    assert f">{words}</h1>" in page
    assert "A &lt;b&gt;." in page
    assert "r-1" in page


async def test_a_form_without_a_photo_is_told_so(gateway: RunningGateway) -> None:
    assert "The photo did not arrive" in assert_page(await post_form(gateway, b""), 400)


async def test_a_photo_that_is_too_large_is_told_so_while_it_is_still_coming(gateway: RunningGateway) -> None:
    response = await post_form(gateway, bytes(10 * LIMIT_BYTES))
    assert "This file is too large" in assert_page(response, 413)
    assert response.headers["connection"] == "close"


async def test_a_busy_service_says_how_long_to_wait(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(max_uploads_bytes=1024)
    response = await post_form(gateway, bytes(5000))
    assert response.headers["retry-after"] == "1"
    assert "Wait 1 second " in assert_page(response, 429)


async def test_a_model_that_is_away_is_told_so(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(inference_url="http://127.0.0.1:9")
    assert "The model cannot be reached" in assert_page(await post_form(gateway), 502)


async def test_the_description_names_the_longest_photo(gateway: RunningGateway) -> None:
    paths = (await gateway.http.get("/openapi.json")).json()["paths"]
    for path in ("/predict", "/explain"):
        assert paths[path]["post"]["requestBody"]["x-max-bytes"] == LIMIT_BYTES
