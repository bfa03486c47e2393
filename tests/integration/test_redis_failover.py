"""A Redis that became a replica is left: the next attempt connects anew, and so to the new master; on a real Redis."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import redis
from events.names import STREAM
from fastapi.testclient import TestClient
from gateway.rate_limit import RateLimit
from monitor.app import create_app
from monitor.redis_connection import RedisAway
from monitor.redis_stream import RedisStream
from monitor.settings import MonitorSettings
from preflight import free_port
from prometheus_client import CollectorRegistry, Counter
from redis_server import RedisServer

from tests.integration.monitoring import consuming, events, pipeline_counts, publish, settled, until
from tests.processes import wait_until

pytestmark = pytest.mark.anyio


def make_replica(client: redis.Redis) -> set[str]:
    """Of a master that does not answer. Returns: the connections of others."""
    client.replicaof("127.0.0.1", str(free_port()))
    return others(client)


def others(client: redis.Redis) -> set[str]:
    return {each["id"] for each in client.client_list() if each["cmd"] not in ("client|list", "client")}


async def test_every_connection_of_a_pool_is_left_once_one_was_refused(
    redis_server: RedisServer, client: redis.Redis
) -> None:
    stream = RedisStream(redis_server.url)
    await asyncio.gather(*(stream.ping() for _ in range(3)))
    old = make_replica(client)
    assert len(old) == 3
    with pytest.raises(RedisAway, match="read only"):
        await stream.ping()
    await until(lambda: not others(client))
    client.replicaof("NO", "ONE")
    await stream.ping()
    assert len(others(client)) == 1
    assert not others(client) & old
    await stream.close()


async def test_a_consumer_leaves_a_replica_and_goes_on_where_its_next_connection_leads(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    some = events(200)
    async with consuming(redis_server.url, tmp_path):
        publish(client, some[:100])
        await until(lambda: settled(client) == 100)
        old = make_replica(client)
        await until(lambda: not others(client) & old)
        client.replicaof("NO", "ONE")
        publish(client, some[100:])
        await until(lambda: settled(client) == 200)
    assert pipeline_counts(client) == {"consumed": 200}


async def test_a_rate_limit_leaves_a_replica_and_counts_where_its_next_connection_leads(
    redis_server: RedisServer, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.rate_limit.REDIS_SECONDS", 5)
    monkeypatch.setattr("gateway.rate_limit.REST_SECONDS", 0)
    uncounted = Counter("uncounted", "Requests.", registry=CollectorRegistry())
    limit = RateLimit(redis_server.url, per_minute=1, burst=1, uncounted=uncounted)
    assert await limit.wait_seconds("one") == 0
    old = make_replica(client)
    assert len(old) == 1
    assert await limit.wait_seconds("two") == 0  # uncounted
    await until(lambda: not others(client))
    client.replicaof("NO", "ONE")
    assert await limit.wait_seconds("one") > 0
    assert not others(client) & old
    await limit.close()


def test_a_monitor_is_not_ready_with_a_redis_that_takes_no_writes(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    with TestClient(create_app(MonitorSettings(redis_url=redis_server.url, models_dir=tmp_path))) as monitor:
        wait_until(lambda: monitor.get("/health/ready").status_code == 200, "the monitor is ready")
        make_replica(client)
        assert monitor.get("/health/ready").json()["failing"]["redis"] == "RedisAway"
        client.replicaof("NO", "ONE")
        assert monitor.get("/health/ready").status_code == 200
    assert client.xlen(STREAM) == 0  # asking whether writes are taken has written nothing
