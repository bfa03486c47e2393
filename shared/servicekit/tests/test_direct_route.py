"""Requests that go to their endpoint at once are answered, counted and logged as all others are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from servicekit.application import create_service
from servicekit.direct_route import DirectRoute
from servicekit.health import Health
from servicekit.interruption import Interrupted
from servicekit.problems import Problem
from servicekit.request_context import request_id
from servicekit.settings import ServiceSettings
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send


class Endpoint:
    """Does what the query tells it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["query_string"]:
            case b"problem":
                raise Problem("short and stout", status=418, headers={"Retry-After": "7"})
            case b"crash":
                raise RuntimeError("secret of the implementation")
            case b"late-problem":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                raise Problem("too late to say so")
            case b"left":
                raise Interrupted
        way = "through the router" if "router" in scope else "directly"
        await PlainTextResponse(f"{way}, {request_id(scope)}")(scope, receive, send)


class Guard:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["query_string"] == b"refused":
            raise Problem("not you", status=401)
        await self._app(scope, receive, send)


@asynccontextmanager
async def nothing(app: FastAPI) -> AsyncIterator[None]:
    yield


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def client(health: Health) -> Iterator[TestClient]:
    guards = [Middleware(Guard)]
    app = create_service(
        "gateway",
        ServiceSettings(),
        lifespan=nothing,
        health=health,
        registry=CollectorRegistry(),
        routes=[
            DirectRoute("/direct", Endpoint(), method="POST", middleware=guards),
            Route("/routed", Endpoint(), methods=["POST"], middleware=guards),
        ],
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_a_request_of_this_method_and_path_goes_to_the_endpoint_at_once(client: TestClient) -> None:
    sent = {"X-Request-ID": "abc-1"}
    assert client.post("/direct", headers=sent).text == "directly, abc-1"
    assert client.post("/routed", headers=sent).text == "through the router, abc-1"


@pytest.mark.parametrize("query", ["", "problem", "crash", "refused", "late-problem", "left"])
def test_the_answer_is_the_one_that_it_would_be_through_the_router(client: TestClient, query: str) -> None:
    direct, routed = (client.post(f"{path}?{query}", headers={"X-Request-ID": "1"}) for path in ("/direct", "/routed"))
    assert direct.status_code == routed.status_code
    if query:
        assert {**direct.headers, "content-length": ""} == {**routed.headers, "content-length": ""}
        assert direct.text.replace("/direct", "/routed") == routed.text
    assert "secret" not in direct.text


@pytest.mark.parametrize(
    ("query", "status"), [("", 200), ("problem", 418), ("crash", 500), ("refused", 401), ("left", 499)]
)
def test_it_is_counted_by_its_route(client: TestClient, query: str, status: int) -> None:
    client.post(f"/direct?{query}")
    counted = f'catnet_http_requests_total{{code="{status}",method="POST",route="/direct",service="gateway"}} 1.0'
    assert counted in client.get("/metrics").text


def test_another_method_is_not_allowed_and_a_slash_more_is_led_back(client: TestClient) -> None:
    for method in ("GET", "HEAD", "PUT"):
        answer = client.request(method, "/direct")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    answer = client.post("/direct/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/direct")


def test_a_draining_service_sends_its_clients_elsewhere(client: TestClient, health: Health) -> None:
    health.draining.set()
    assert client.post("/direct").headers["connection"] == "close"


def test_a_function_is_an_endpoint_too() -> None:
    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("done")(scope, receive, send)

    assert DirectRoute("/direct", endpoint, method="GET").app is endpoint
