"""Health says which service is there, always soon; readiness follows inference and the drain."""

from __future__ import annotations

import asyncio

import pytest

from services.gateway.tests.conftest import StartGateway
from services.gateway.tests.running_gateway import RunningGateway
from services.gateway.tests.scripted_upstream import Behaviour, Received, ScriptedUpstream, answer, close

pytestmark = pytest.mark.anyio


def ready(*, failing: dict[str, str] | None = None, status: int = 200) -> Behaviour:
    ok = [name for name in ("model", "redis") if name not in (failing or {})]
    return answer({"status": "?", "ok": ok, "failing": failing or {}, "draining": False}, status=status)


async def never(received: Received, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


NO_REDIS = {"redis": "ConnectionError"}


@pytest.mark.parametrize(
    ("inference_says", "monitor_says", "status", "services"),
    [
        (ready(), ready(), 200, ("ok", "ok", "ok")),
        (ready(failing=NO_REDIS), ready(failing=NO_REDIS, status=503), 200, ("ok", "not ready", "away")),
        (ready(), ready(failing=NO_REDIS, status=503), 200, ("ok", "not ready", "away")),
        (ready(), close, 200, ("ok", "away", "ok")),
        (ready(failing=NO_REDIS), never, 200, ("ok", "away", "away")),
        (ready(failing=NO_REDIS), ready(), 200, ("ok", "ok", "away")),
        (ready(status=503, failing={"model": "x"}), ready(), 503, ("not ready", "ok", "ok")),
        (close, ready(), 503, ("away", "ok", "ok")),
        (never, never, 503, ("away", "away", "unknown")),
        (answer(b"["), answer([1]), 200, ("ok", "ok", "unknown")),
    ],
    ids=[
        "all",
        "no redis",
        "monitor knows",
        "no monitor",
        "monitor hangs",
        "one knows",
        "no model",
        "no inference",
        "none",
        "odd",
    ],
)
async def test_health_names_the_state_of_each_service(
    start_gateway: StartGateway,
    inference: ScriptedUpstream,
    monitor: ScriptedUpstream,
    inference_says: Behaviour,
    monitor_says: Behaviour,
    status: int,
    services: tuple[str, str, str],
) -> None:
    gateway = await start_gateway(health_timeout_seconds=0.5)
    inference.behave, monitor.behave = inference_says, monitor_says
    response = await gateway.http.get("/health")
    body = response.json()
    assert response.status_code == status
    assert body["services"] == dict(zip(("inference", "monitor", "redis"), services, strict=True))
    assert body["status"] == ("ok" if services == ("ok", "ok", "ok") else "degraded")
    assert body["version"]


async def test_a_redis_that_answers_a_ping_and_refuses_the_rest_is_shown(
    gateway: RunningGateway, inference: ScriptedUpstream, monitor: ScriptedUpstream
) -> None:
    for inference_says, monitor_says in (
        (ready(failing={"events": "StreamUnavailable"}), ready()),
        (ready(), ready(failing={"consumers": "NotConsuming"})),
    ):
        inference.behave, monitor.behave = inference_says, monitor_says
        response = await gateway.http.get("/health")
        body = response.json()
        assert (response.status_code, body["status"], body["services"]["redis"]) == (200, "degraded", "refusing")


async def test_a_service_is_there_while_one_of_its_replicas_hangs(
    gateway: RunningGateway, inference: ScriptedUpstream, monitor: ScriptedUpstream
) -> None:
    async def hang_once(received: Received, writer: asyncio.StreamWriter) -> None:
        if received.connection > 1:
            await ready()(received, writer)
        else:
            await asyncio.Event().wait()

    inference.behave = monitor.behave = hang_once
    assert (await gateway.http.get("/health")).json()["status"] == "ok"


async def test_health_answers_soon_whatever_hangs(
    gateway: RunningGateway, inference: ScriptedUpstream, monitor: ScriptedUpstream
) -> None:
    inference.behave = monitor.behave = never
    async with asyncio.timeout(3):
        assert (await gateway.http.get("/health")).status_code == 503


async def test_health_does_not_wait_behind_predictions(
    start_gateway: StartGateway, inference: ScriptedUpstream
) -> None:
    gateway = await start_gateway(max_in_flight=1)
    arrived = asyncio.Event()

    async def hang_on_predictions(received: Received, writer: asyncio.StreamWriter) -> None:
        if received.method == "GET":
            await ready()(received, writer)
        else:
            arrived.set()
            await asyncio.Event().wait()

    inference.behave = hang_on_predictions
    prediction = asyncio.create_task(gateway.http.post("/predict", content=b"x", headers={"content-type": "image/png"}))
    await asyncio.wait_for(arrived.wait(), 5)
    assert (await gateway.http.get("/health")).json()["services"]["inference"] == "ok"
    prediction.cancel()


async def test_readiness_follows_inference(
    start_gateway: StartGateway, inference: ScriptedUpstream, monitor: ScriptedUpstream
) -> None:
    gateway = await start_gateway(health_timeout_seconds=0.5)
    monitor.behave = close
    for behave, status in ((ready(), 200), (close, 503), (ready(status=503), 503), (never, 503), (ready(), 200)):
        inference.behave = behave
        inference.lost.clear()
        assert (await gateway.http.get("/health/ready")).status_code == status


async def test_an_inference_that_waits_for_redis_is_still_ready(
    start_gateway: StartGateway, inference: ScriptedUpstream
) -> None:
    """Its own readiness may wait a second for a Redis that hangs."""
    gateway = await start_gateway(health_timeout_seconds=3.0)

    async def late(received: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1.05)
        await ready(failing={"redis": "no answer within 1 s"})(received, writer)

    inference.behave = late
    assert (await gateway.http.get("/health/ready")).status_code == 200


async def test_a_drain_makes_it_unready_but_not_dead(gateway: RunningGateway, inference: ScriptedUpstream) -> None:
    inference.behave = ready()
    gateway.health.draining.set()
    assert (await gateway.http.get("/health/ready")).status_code == 503
    assert (await gateway.http.get("/health/live")).status_code == 200
    assert (await gateway.http.get("/health")).status_code == 200


async def test_liveness_asks_nobody(
    gateway: RunningGateway, inference: ScriptedUpstream, monitor: ScriptedUpstream
) -> None:
    assert (await gateway.http.get("/health/live")).status_code == 200
    assert inference.received == monitor.received == []
