"""The files of a model pass through the gateway: whole or broken off, bounded, and by no way that leads elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import httpx
import pytest
from gateway import app
from gateway.admission import Admission
from gateway.inference_client import InferenceClient
from gateway.metrics import GatewayMetrics
from gateway.model_files import ModelFiles
from gateway.transport import AnswerStream
from prometheus_client import CollectorRegistry
from servicekit.request_context import begin_request
from starlette.requests import Request
from starlette.types import Message, Scope

from services.gateway.tests.conftest import StartGateway
from services.gateway.tests.running_gateway import RunningGateway
from services.gateway.tests.scripted_upstream import Received, ScriptedUpstream, answer

pytestmark = pytest.mark.anyio

WEIGHTS = bytes(range(256)) * 20_000  # more than the gateway holds of another answer
ADDRESS = "/api/models/catnet/1/model.safetensors"


def weights(length: int | None = None, cache_control: str = "no-cache") -> object:
    headers = ('etag: "abc"', f"cache-control: {cache_control}", "x-internal: secret")
    return answer(WEIGHTS, content_type="application/octet-stream", headers=headers, length=length)


async def test_it_comes_as_it_is(gateway: RunningGateway, inference: ScriptedUpstream) -> None:
    inference.behave = weights()
    response = await gateway.http.get(ADDRESS, params={"sha256": "abc", "x": "y"})
    assert response.content == WEIGHTS
    assert response.headers["content-type"] == "application/octet-stream"
    assert (response.headers["etag"], response.headers["cache-control"]) == ('"abc"', "no-cache")
    assert "x-internal" not in response.headers
    assert inference.received[0].target == "/models/catnet/1/model.safetensors?sha256=abc"


async def test_who_has_it_gets_it_not_again(gateway: RunningGateway, inference: ScriptedUpstream) -> None:
    inference.behave = weights()
    response = await gateway.http.get(ADDRESS, headers={"if-none-match": '"abc"'})
    assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", '"abc"')


@pytest.mark.parametrize(("keys", "whose"), [("", "public"), ("first-key", "private")])
async def test_what_needs_a_key_is_in_no_cache_that_others_share(
    start_gateway: StartGateway, inference: ScriptedUpstream, keys: str, whose: str
) -> None:
    gateway = await start_gateway(api_keys=keys)
    inference.behave = weights(cache_control="public, max-age=60, immutable")
    for if_none_match in ("", '"abc"'):
        headers = {"x-api-key": keys, "if-none-match": if_none_match}
        response = await gateway.http.get(ADDRESS, params={"sha256": "abc"}, headers=headers)
        assert response.headers["cache-control"] == f"{whose}, max-age=60, immutable"


async def test_a_head_request_has_the_headers_alone(gateway: RunningGateway, inference: ScriptedUpstream) -> None:
    inference.behave = weights()
    response = await gateway.http.head(ADDRESS)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == str(len(WEIGHTS))


async def test_a_refusal_is_passed_on_under_the_public_address(
    gateway: RunningGateway, inference: ScriptedUpstream
) -> None:
    problem = {"title": "Not Found", "status": 404, "detail": "no such model", "instance": "/models/catnet/9/README.md"}
    inference.behave = answer(problem, status=404, content_type="application/problem+json")
    response = await gateway.http.get("/api/models/catnet/9/README.md")
    assert response.status_code == 404
    assert response.json()["instance"] == "/api/models/catnet/9/README.md"


async def test_what_breaks_off_on_the_way_is_not_taken_for_the_whole(
    gateway: RunningGateway, inference: ScriptedUpstream
) -> None:
    inference.behave = weights(length=len(WEIGHTS) + 1)
    with pytest.raises(httpx.RemoteProtocolError):
        await gateway.http.get(ADDRESS)
    inference.behave = weights()
    assert (await gateway.http.get(ADDRESS)).content == WEIGHTS


async def test_an_answer_of_another_kind_is_not_passed_on(gateway: RunningGateway, inference: ScriptedUpstream) -> None:
    inference.behave = answer(b"<script>", content_type="text/html")
    assert (await gateway.http.get(ADDRESS)).status_code == 502


async def test_only_so_many_download_at_once(
    start_gateway: StartGateway, inference: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_DOWNLOADS", 1)
    gateway = await start_gateway(max_queue_seconds=0.05)
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def wait_first(received: Received, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await may_answer.wait()
        await weights()(received, writer)  # type: ignore[operator]

    inference.behave = wait_first
    first = asyncio.create_task(gateway.http.get(ADDRESS))
    await asyncio.wait_for(asked.wait(), 5)
    refused = await gateway.http.get(ADDRESS)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    may_answer.set()
    assert (await first).content == WEIGHTS


class Holder:
    """Of a file, as it would come from inference."""

    @asynccontextmanager
    async def model_file(self, path: tuple[str, str, str], **_: object) -> AsyncIterator[AnswerStream]:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"x"

        yield AnswerStream(200, {b"content-length": b"1"}, chunks())


@pytest.mark.parametrize(("method", "taken"), [("GET", 0), ("GET", 1), ("GET", 2), ("HEAD", 0), ("HEAD", 1)])
async def test_whatever_of_an_answer_is_not_taken_keeps_no_place(method: str, taken: int) -> None:
    admission = Admission(
        in_flight=1,
        queue=0,
        queue_seconds=0.0,
        expected_seconds=1.0,
        shed=GatewayMetrics(CollectorRegistry()).requests_shed,
    )
    inference = cast(InferenceClient, Holder())
    files = ModelFiles(inference, admission=admission, timeout_seconds=5.0, download_seconds=0.01)
    path = {"name": "catnet", "version": "1", "file": "model.safetensors"}
    scope: Scope = {"type": "http", "method": method, "path_params": path, "query_string": b"", "headers": []}
    begin_request(scope)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        if len(sent) == taken:
            await asyncio.Event().wait()
        sent.append(message)

    await asyncio.wait_for(files(scope, Request(scope).receive, send), 5)
    assert len(sent) == taken
    admission.check()


@pytest.mark.parametrize(
    "address",
    [
        "/api/models/catnet/1/secret.txt",
        "/api/models/catnet/1/",
        "/api/models/../../manifest.json",
        "/api/models/%2e%2e/%2e%2e/manifest.json",
        "/api/models/catnet/../manifest.json",
        "/api/models/catnet/..%2f1/manifest.json",
        "/api/models/.hidden/1/manifest.json",
        "/api/models/catnet/1%3fx=/manifest.json",
        "/api/models/catnet/1%23/manifest.json",
        "/api/models/catnet/1/manifest.json%00",
        "/api/models/" + "a" * 65 + "/1/manifest.json",
    ],
)
async def test_other_addresses_do_not_reach_inference(
    gateway: RunningGateway, inference: ScriptedUpstream, address: str
) -> None:
    request = gateway.http.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=address.encode())
    assert (await gateway.http.send(request)).status_code == 404
    assert inference.received == []
