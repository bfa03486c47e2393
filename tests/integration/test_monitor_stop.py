"""A monitor that is asked to end does so in time, whatever Redis does; on a real Redis."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import redis
from events.names import CONSUMER_GROUP, STREAM
from fastapi import FastAPI
from fastapi.testclient import TestClient
from monitor.app import CLOSE_SECONDS, create_app
from monitor.redis_connection import ANSWER_TIMEOUT_SECONDS
from monitor.settings import MonitorSettings
from redis_server import RedisServer

from tests.integration.monitoring import MODEL, events, pipeline_counts, publish, settled
from tests.processes import ServiceProcess, wait_until


def new_app(redis_server: RedisServer, models_dir: Path) -> FastAPI:
    return create_app(MonitorSettings(redis_url=redis_server.url, models_dir=models_dir, claim_idle_seconds=0.3))


def test_consumers_leave_when_the_drain_begins_and_reports_are_still_answered(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    app = new_app(redis_server, tmp_path)
    with TestClient(app) as monitor, redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
        publish(client, events(100, seed=1))
        wait_until(lambda: settled(client) == 100, "the monitor consumes")
        assert client.xinfo_consumers(STREAM, CONSUMER_GROUP)
        assert monitor.portal is not None
        monitor.portal.call(app.state.health.draining.set)
        wait_until(lambda: not client.xinfo_consumers(STREAM, CONSUMER_GROUP), "the consumers have left")
        assert monitor.get(f"/report?model={MODEL}").json()["predictions"]["total"] == 100


def test_a_redis_at_a_standstill_holds_up_no_end_and_loses_nothing(redis_server: RedisServer, tmp_path: Path) -> None:
    with redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
        pid = client.info("server")["process_id"]
        try:
            with TestClient(new_app(redis_server, tmp_path)):
                publish(client, events(500, seed=1))
                wait_until(lambda: settled(client) > 0, "the monitor consumes")
                publish(client, events(500, seed=2))
                os.kill(pid, signal.SIGSTOP)
                asked = time.monotonic()
            assert time.monotonic() - asked < (CLOSE_SECONDS + ANSWER_TIMEOUT_SECONDS) / 2
        finally:
            os.kill(pid, signal.SIGCONT)
        with TestClient(new_app(redis_server, tmp_path)):
            wait_until(lambda: settled(client) == 1000, "the next monitor has counted all")
        assert pipeline_counts(client) == {"consumed": 1000}
        assert client.xpending(STREAM, CONSUMER_GROUP)["pending"] == 0


def test_a_monitor_whose_port_is_taken_ends_so_that_it_can_be_started_again(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monitor = ServiceProcess("monitor", other.getsockname()[1], {"REDIS_URL": redis_server.url}, tmp_path / "log")
        monitor.start()
        try:
            wait_until(lambda: not monitor.is_running(), "the monitor has ended", 20)
        finally:
            monitor.kill()
    assert "address already in use" in monitor.log.read_text()
