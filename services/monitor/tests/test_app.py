"""Without Redis the service lives, says so, and answers every request with its status."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from monitor import app as monitor_app
from monitor.app import create_app
from monitor.consumer import Consumer
from monitor.settings import MonitorSettings
from servicekit.settings import read_settings

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(MonitorSettings(redis_url=NOBODY, models_dir=tmp_path))) as client:
        yield client


def test_the_service_is_live_but_not_ready(client: TestClient) -> None:
    assert client.get("/health/live").status_code == 200
    ready = client.get("/health/ready")
    assert ready.status_code == 503
    failing = ready.json()["failing"]
    assert (failing["redis"], failing["reports"]) == ("RedisAway", "WarmingUp")


@pytest.mark.parametrize("path", ["/report", "/report?window=7d&model=catnet-mlp", "/stream"])
def test_reports_and_streams_are_unavailable(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"]
    assert "127.0.0.1" not in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "window=2h",
        "window=",
        "window=1h%00",
        "window=1h&window=7d",
        "model=../../etc/passwd",
        "model=",
        "model=a%0Ab",
        "windw=1h",
    ],
)
@pytest.mark.parametrize("path", ["/report", "/stream"])
def test_a_bad_query_is_the_callers_fault_with_or_without_redis(client: TestClient, path: str, query: str) -> None:
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 400
    assert answer.json()["title"] == "Bad Request"


def test_metrics_show_the_process_and_that_redis_is_away(client: TestClient) -> None:
    text = client.get("/metrics").text
    assert "catnet_redis_up 0.0" in text
    assert "catnet_build_info{" in text


@pytest.mark.parametrize("path", ["/report", "/stream"])
def test_other_methods_are_refused(client: TestClient, path: str) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "http://redis"),
        ("REDIS_URL", "redis://redis:port"),
        ("DEFAULT_MODEL", "cat net"),
        ("DEFAULT_MODEL", "catnet/"),
        ("BATCH_EVENTS", "0"),
        ("DEDUPE_HOURS", "soon"),
        ("PORT", "0"),
    ],
)
def test_a_wrong_setting_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match="2"):
        read_settings(MonitorSettings)
    assert name in capsys.readouterr().err


@pytest.mark.parametrize("loser", [0, 1])
def test_it_ends_with_all_its_consumers_though_one_of_them_loses_a_cancellation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loser: int
) -> None:
    running: list[Consumer] = []
    ended: list[Consumer] = []

    async def run(consumer: Consumer) -> None:
        running.append(consumer)
        try:
            if running[loser:] == [consumer]:
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(60)
            await asyncio.sleep(60)
        finally:
            ended.append(consumer)

    async def begin_and_end() -> None:
        app = create_app(MonitorSettings(redis_url=NOBODY, models_dir=tmp_path))
        async with asyncio.timeout(10), app.router.lifespan_context(app):
            await asyncio.sleep(0)
        assert len(running) == len(ended) == monitor_app.CONSUMERS

    monkeypatch.setattr(monitor_app, "CLOSE_SECONDS", 0)
    monkeypatch.setattr(Consumer, "run", run)
    asyncio.run(begin_and_end())
