"""With keys set, the interface needs one of them; the pages, health and metrics do not."""

from __future__ import annotations

import pytest

from services.gateway.tests.conftest import StartGateway
from services.gateway.tests.running_gateway import RunningGateway
from services.gateway.tests.scripted_upstream import PREDICTION, ScriptedUpstream, answer

pytestmark = pytest.mark.anyio

INTERFACE = (
    ("POST", "/predict"),
    ("POST", "/explain"),
    ("POST", "/api/feedback"),
    ("GET", "/api/models"),
    ("GET", "/api/monitor/report"),
    ("GET", "/api/monitor/stream"),
)
OPEN = ("/", "/dashboard", "/docs", "/health", "/health/live", "/metrics", "/openapi.json", "/static/index.js")


@pytest.fixture
async def guarded(
    start_gateway: StartGateway, inference: ScriptedUpstream, monitor: ScriptedUpstream
) -> RunningGateway:
    monitor.behave = answer({"window": {}})
    return await start_gateway(api_keys="first-key,second-key")


@pytest.mark.parametrize(("method", "path"), INTERFACE)
async def test_without_a_key_it_is_a_401_that_says_how(guarded: RunningGateway, method: str, path: str) -> None:
    response = await guarded.http.request(method, path)
    assert (response.status_code, response.json()["status"]) == (401, 401)
    assert response.headers["www-authenticate"] == 'Bearer realm="catnet"'


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer"},
        {"authorization": "Basic first-key"},
        {"authorization": "first-key"},
        {"x-api-key": "first-key2"},
        {"x-api-key": ""},
        {"authorization": "Bearer wrong", "x-api-key": "wrong"},
        {"authorization": "Bearer wrong", "x-api-key": "Bearer first-key"},
    ],
)
async def test_another_key_is_none(
    guarded: RunningGateway, inference: ScriptedUpstream, headers: dict[str, str]
) -> None:
    response = await guarded.http.post("/predict", files={"file": b"x"}, headers=headers)
    assert response.status_code == 401
    assert inference.received == []


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer first-key"},
        {"authorization": "bearer second-key"},
        {"x-api-key": "first-key"},
        {"authorization": "Bearer an.id.token", "x-api-key": "first-key"},
        {"authorization": "Bearer first-key", "x-api-key": "wrong"},
        {"authorization": "Basic x", "x-api-key": "second-key"},
    ],
)
async def test_each_of_the_keys_lets_pass(
    guarded: RunningGateway, inference: ScriptedUpstream, headers: dict[str, str]
) -> None:
    response = await guarded.http.post("/predict", files={"file": b"x"}, headers=headers)
    assert (response.status_code, response.json()) == (200, PREDICTION)
    assert "first-key" not in str(inference.received)


@pytest.mark.parametrize("path", OPEN)
async def test_what_is_open_stays_open(guarded: RunningGateway, path: str) -> None:
    assert (await guarded.http.get(path)).status_code == 200


async def test_a_request_without_a_key_is_counted_under_its_route(guarded: RunningGateway) -> None:
    await guarded.http.post("/predict")
    label_set = '{code="401",method="POST",route="/predict",service="gateway"}'
    assert await guarded.metric(f"catnet_http_requests_total{label_set}") == 1
