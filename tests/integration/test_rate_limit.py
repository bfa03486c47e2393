"""Clients are limited each by itself, by all replicas together, and by none while Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
import redis
from gateway import rate_limit
from gateway.rate_limit import RateLimit
from gateway.settings import GatewaySettings
from prometheus_client import CollectorRegistry, Counter
from redis_server import ROOT, RedisServer
from structlog.testing import capture_logs

from services.gateway.tests.running_gateway import RunningGateway, running_gateway
from services.gateway.tests.scripted_upstream import scripted_upstream

pytestmark = pytest.mark.anyio

BURST = 5
SECONDS_A_REQUEST = 4
"""Long enough that a machine with much else to do earns none during a test."""
SHED = 'catnet_requests_shed_total{reason="rate_limited"}'
UNCOUNTED = "catnet_rate_limit_uncounted_total"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with much else to do lets Redis answer late, which is not what these tests are about."""
    monkeypatch.setattr(rate_limit, "REDIS_SECONDS", 5)


@pytest.fixture
async def replicas(redis_server: RedisServer) -> AsyncIterator[list[RunningGateway]]:
    """Two gateways with one Redis, behind a proxy on this machine that they trust."""
    async with scripted_upstream() as inference, AsyncExitStack() as stack:
        settings = GatewaySettings.model_validate(
            {
                "inference_url": inference.url,
                "frontend_dir": ROOT / "frontend",
                "redis_url": redis_server.url,
                "rate_limit_per_minute": 60 // SECONDS_A_REQUEST,
                "rate_limit_burst": BURST,
                "trusted_proxies": "127.0.0.1,10.0.0.0/8",
            }
        )
        yield [await stack.enter_async_context(running_gateway(settings)) for _ in range(2)]


async def predict(gateway: RunningGateway, client: str = "192.0.2.1") -> httpx.Response:
    return await gateway.http.post("/predict", files={"file": b"x"}, headers={"x-forwarded-for": client})


async def test_a_client_may_send_its_burst_and_then_has_to_wait(replicas: list[RunningGateway]) -> None:
    responses = [await predict(replicas[0]) for _ in range(BURST + 1)]
    assert [response.status_code for response in responses] == [200] * BURST + [429]
    refusal = responses[-1]
    assert refusal.json()["status"] == 429
    assert refusal.headers["retry-after"] == str(SECONDS_A_REQUEST)
    assert await replicas[0].metric(SHED) == 1
    async with asyncio.timeout(5 * SECONDS_A_REQUEST):
        while (await predict(replicas[0])).status_code != 200:  # noqa: ASYNC110 - it is earned with time
            await asyncio.sleep(0.1)
    assert (await predict(replicas[0])).status_code == 429


async def test_replicas_count_together(replicas: list[RunningGateway]) -> None:
    responses = await asyncio.gather(*(predict(replicas[index % 2]) for index in range(4 * BURST)))
    statuses = [response.status_code for response in responses]
    assert BURST <= statuses.count(200) <= BURST + 1  # a slow machine earns one more meanwhile
    assert set(statuses) == {200, 429}


async def test_clients_do_not_use_up_what_is_anothers(replicas: list[RunningGateway]) -> None:
    for _ in range(BURST + 1):
        await predict(replicas[0], "192.0.2.1")
    assert (await predict(replicas[0], "192.0.2.1")).status_code == 429
    assert (await predict(replicas[0], "192.0.2.2")).status_code == 200


async def test_a_client_cannot_name_another_address(replicas: list[RunningGateway]) -> None:
    """What it writes itself is left of what the proxies have added."""
    statuses = [
        (await predict(replicas[0], f"203.0.113.{index}, 192.0.2.1, 10.0.0.7")).status_code
        for index in range(BURST + 1)
    ]
    assert statuses[-1] == 429


async def test_addresses_of_one_ipv6_network_are_one_client(replicas: list[RunningGateway]) -> None:
    statuses = [(await predict(replicas[0], f"2001:db8:1:2::{index}")).status_code for index in range(BURST + 1)]
    assert statuses[-1] == 429
    assert (await predict(replicas[0], "2001:db8:1:3::1")).status_code == 200


async def test_an_ipv4_address_is_the_same_client_when_written_as_ipv6(replicas: list[RunningGateway]) -> None:
    for _ in range(BURST):
        await predict(replicas[0], "::ffff:192.0.2.1")
    assert (await predict(replicas[0], "192.0.2.1")).status_code == 429
    assert (await predict(replicas[0], "::ffff:192.0.2.2")).status_code == 200


async def test_pages_and_health_are_not_limited(replicas: list[RunningGateway]) -> None:
    for path in ("/", "/health/live", "/metrics"):
        for _ in range(BURST + 1):
            assert (await replicas[0].http.get(path)).status_code == 200


async def test_without_redis_nobody_is_limited_and_nobody_waits(
    replicas: list[RunningGateway], redis_server: RedisServer
) -> None:
    redis_server.kill()
    loop = asyncio.get_running_loop()
    started = loop.time()
    statuses = [(await predict(replicas[0])).status_code for _ in range(3 * BURST)]
    assert statuses == [200] * 3 * BURST
    assert loop.time() - started < 3
    assert await replicas[0].metric(UNCOUNTED) == 3 * BURST
    redis_server.start()
    async with asyncio.timeout(10):
        while (await predict(replicas[0])).status_code != 429:  # noqa: ASYNC110 - it is asked again after a second
            await asyncio.sleep(0.02)


async def test_a_clock_of_redis_that_is_set_back_shuts_nobody_out(
    replicas: list[RunningGateway], redis_server: RedisServer
) -> None:
    await predict(replicas[0])
    with redis.Redis.from_url(redis_server.url) as client:
        (key,) = client.scan_iter("*")
        seconds, _ = client.time()
        client.set(key, (seconds + 3600) * 1_000_000, px=3_600_000)  # as the clock wrote it, an hour ahead
    statuses = [(await predict(replicas[0])).status_code for _ in range(BURST + 1)]
    assert statuses == [200] * BURST + [429]


async def test_that_redis_is_away_is_told_once_however_often_it_is_asked(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "REST_SECONDS", 0)
    uncounted = Counter("uncounted", "Requests.", registry=CollectorRegistry())
    limit = RateLimit(redis_server.url, per_minute=60, burst=BURST, uncounted=uncounted)
    with capture_logs() as logs:
        for _ in range(2):
            redis_server.kill()
            for _ in range(3):
                assert await limit.wait_seconds("one") == 0
            redis_server.start()
            assert await limit.wait_seconds("one") == 0
    await limit.close()
    assert [log["event"] for log in logs] == [
        "requests are not counted: redis is away",
        "requests are counted again",
    ] * 2


async def test_what_is_kept_of_a_client_is_short_lived_and_no_address(
    replicas: list[RunningGateway], redis_server: RedisServer
) -> None:
    await predict(replicas[0], "192.0.2.1")
    with redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
        (key,) = client.scan_iter("*")
        assert "192.0.2" not in key
        assert 0 < client.pttl(key) <= 1000 * SECONDS_A_REQUEST + 100
