"""The report says what an exact computation over the same events says; on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import redis
from events.accounting import PublisherCounters
from events.names import PUBLISHERS, publisher_counters
from events.prediction import PredictionEvent
from monitor.manifests import Manifests
from monitor.redis_connection import RedisAway
from monitor.redis_stream import RedisStream
from monitor.report import Reports
from monitor.warm_up import WarmUp
from monitor.windows import WINDOWS
from preflight import free_port
from redis_server import RedisServer

from tests.integration.monitoring import consuming, events, pipeline_counts, publish, settled, until
from tests.processes import ServiceProcess

pytestmark = pytest.mark.anyio

COUNT = 3000


@pytest.fixture
async def stream(redis_server: RedisServer) -> AsyncIterator[RedisStream]:
    stream = RedisStream(redis_server.url)
    yield stream
    await stream.close()


@pytest.fixture
def reports(stream: RedisStream, tmp_path: Path) -> Reports:
    return Reports(stream, Manifests(tmp_path), default_model="catnet-mlp")


async def build(reports: Reports, window: str = "1h", model: str | None = None) -> dict[str, Any]:
    return await reports.build(WINDOWS[window], await reports.manifest(model))


async def test_the_report_equals_an_exact_computation(
    redis_server: RedisServer, client: redis.Redis, reports: Reports, tmp_path: Path
) -> None:
    some = events(COUNT)
    async with consuming(redis_server.url, tmp_path), consuming(redis_server.url, tmp_path):
        publish(client, some)
        await until(lambda: settled(client) == COUNT)
    for window in WINDOWS:
        report = await build(reports, window)
        total_ms = np.array([event.total_seconds for event in some]) * 1000
        cats = sum(event.label == "cat" for event in some)
        assert report["predictions"] | {"per_second": None} == {
            "total": COUNT,
            "cat": cats,
            "non_cat": COUNT - cats,
            "uncertain": sum(not event.certain for event in some),
            "cat_ratio": cats / COUNT,
            "per_second": None,
        }
        latency = report["latency_ms"]
        assert latency["count"] == COUNT
        assert latency["avg"] == pytest.approx(total_ms.mean(), rel=1e-4)
        exact = np.percentile(total_ms, [50, 95, 99, 100])
        assert [latency[name] for name in ("p50", "p95", "p99", "max")] == pytest.approx(exact, rel=0.01)
        for stage in ("decode", "forward"):
            exact_p50 = np.median([getattr(event, f"{stage}_seconds") for event in some]) * 1000
            assert latency["stages"][stage]["p50"] == pytest.approx(exact_p50, rel=0.01, abs=1e-4)
        confidences = [event.confidence for event in some]
        bin_edges = report["confidence"]["bin_edges"]
        assert report["confidence"]["counts"] == np.histogram(confidences, bin_edges)[0].tolist()
        for label in ("cat", "non-cat"):
            of_label = [event.confidence for event in some if event.label == label]
            assert report["confidence"]["by_label"][label] == np.histogram(of_label, bin_edges)[0].tolist()
        assert report["confidence"]["mean"] == pytest.approx(np.mean(confidences), abs=1e-6)
        assert report["quality"]["estimated_accuracy"]["value"] == pytest.approx(np.mean(confidences), abs=1e-6)
        assert sum(point["total"] for point in report["series"]) == COUNT
        newest = client.xrevrange("predictions", count=20)
        assert [each["prediction_id"] for each in report["recent"]] == [f["prediction_id"] for _, f in newest]


async def test_the_series_shows_each_minute_of_its_own_time(
    redis_server: RedisServer, client: redis.Redis, reports: Reports, tmp_path: Path
) -> None:
    some = events(500)
    async with consuming(redis_server.url, tmp_path):
        publish(client, some)
        await until(lambda: settled(client) == 500)
    for point in (await build(reports, "15m"))["series"]:
        start = datetime.fromisoformat(point["time"])
        inside = [event for event in some if start <= event.time < start + timedelta(minutes=1)]
        assert point["total"] == len(inside)
        assert point["cat"] == sum(event.label == "cat" for event in inside)
        if inside:
            exact = np.percentile([event.total_seconds * 1000 for event in inside], [50, 95])
            assert [point["p50_ms"], point["p95_ms"]] == pytest.approx(exact, rel=0.01)


async def test_late_events_count_in_the_windows_that_reach_back_to_them(
    redis_server: RedisServer, client: redis.Redis, reports: Reports, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    ages = {"15m": timedelta(0), "1h": timedelta(minutes=40), "24h": timedelta(hours=5), "7d": timedelta(days=4)}
    async with consuming(redis_server.url, tmp_path):
        for seed, age in enumerate((*ages.values(), timedelta(days=40))):
            publish(client, events(10, seed=seed, end=now - age))
        await until(lambda: settled(client) == 50)
    assert [(await build(reports, window))["predictions"]["total"] for window in ages] == [10, 20, 30, 40]


async def test_the_newest_version_is_reported_unless_one_is_named(
    redis_server: RedisServer, client: redis.Redis, reports: Reports, tmp_path: Path
) -> None:
    some = events(12)
    renamed = [with_version(event, str(2 + number % 9)) for number, event in enumerate(some)]
    async with consuming(redis_server.url, tmp_path):
        publish(client, renamed)
        await until(lambda: settled(client) == 12)
    for model, version, total in ((None, "10", 1), ("catnet-mlp", "10", 1), ("catnet-mlp/3", "3", 2)):
        report = await build(reports, model=model)
        assert report["model"] == {"name": "catnet-mlp", "version": version}
        assert report["predictions"]["total"] == len(report["recent"]) == total


async def test_the_accounts_balance_exactly_when_nothing_is_missing(
    redis_server: RedisServer, client: redis.Redis, reports: Reports, tmp_path: Path
) -> None:
    def publisher_says(**counters: Any) -> None:
        client.zadd(PUBLISHERS, {"one": 1})
        client.hset(publisher_counters("one"), mapping=PublisherCounters(**counters).to_fields())

    async with consuming(redis_server.url, tmp_path):
        publish(client, events(100))
        await until(lambda: pipeline_counts(client).get("consumed") == 100)
    assert (await build(reports))["pipeline"]["balanced"] is None
    publisher_says(answered=107, published=100, buffered=4, dropped={"buffer_full": 3})
    pipeline = (await build(reports))["pipeline"]
    assert pipeline["balanced"] is True
    assert (pipeline["answered"], pipeline["buffered"], pipeline["dropped"]) == (107, 4, 3)
    assert pipeline["dropped_by_reason"] == {"buffer_full": 3}
    publisher_says(answered=108, published=101, buffered=4, dropped={"buffer_full": 3})
    assert (await build(reports))["pipeline"]["balanced"] is False


@pytest.mark.parametrize("kind", ["models", "minute:", "pipeline"])
async def test_a_count_that_is_no_number_is_an_answer_that_cannot_be_read(
    redis_server: RedisServer, client: redis.Redis, reports: Reports, tmp_path: Path, kind: str
) -> None:
    async with consuming(redis_server.url, tmp_path):
        publish(client, events(1))
        await until(lambda: settled(client) == 1)
    client.hset(next(client.scan_iter(f"catnet:{kind}*")), "note", "hello")
    with pytest.raises(RedisAway):
        await build(reports)


async def test_after_the_warm_up_a_first_report_reads_no_closed_bucket(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    read: list[str] = []

    class Watched(RedisStream):
        async def counts(self, keys: Sequence[str]) -> list[dict[str, int]]:
            read.extend(keys)
            return await super().counts(keys)

    now = datetime.now(UTC)
    ages = [timedelta(minutes=m) for m in range(0, 120, 10)] + [timedelta(hours=h) for h in range(2, 336, 8)]
    async with consuming(redis_server.url, tmp_path):
        for seed, age in enumerate(ages):
            publish(client, events(10, seed=seed, end=now - age))
        await until(lambda: settled(client) == 10 * len(ages))
    stream = Watched(redis_server.url)
    reports = Reports(stream, Manifests(tmp_path), default_model="catnet-mlp")
    warm_up = WarmUp(stream, reports)
    task = asyncio.create_task(warm_up.run())
    try:
        await until(lambda: warm_up.is_over)
        assert len([key for key in read if ":hour:" in key]) >= 42, "the warm-up reads what there is"
        read.clear()
        totals = {window: (await build(reports, window))["predictions"]["total"] for window in WINDOWS}
        assert totals["7d"] > totals["24h"] > totals["1h"] > totals["15m"] > 0
        assert not [key for key in read if ":hour:" in key or ":minute:" in key]
    finally:
        task.cancel()
        await asyncio.wait([task])
        await stream.close()


async def test_the_default_model_and_the_busiest_others_are_kept_warm(
    redis_server: RedisServer, client: redis.Redis, reports: Reports, tmp_path: Path
) -> None:
    some = events(12)
    versions = ["3"] * 3 + ["4"] * 4 + ["5", "5", "6", "6", "10"]
    async with consuming(redis_server.url, tmp_path):
        publish(client, [with_version(event, version) for event, version in zip(some, versions, strict=True)])
        await until(lambda: settled(client) == 12)
    assert [manifest.version for manifest in await reports.busiest(3)] == ["10", "4", "3"]


async def test_the_service_reports_streams_and_measures_the_same(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    monitor = ServiceProcess(
        "monitor", free_port(), {"REDIS_URL": redis_server.url, "DEFAULT_MODEL": "catnet-mlp"}, tmp_path / "monitor.log"
    )
    monitor.start()
    try:
        await asyncio.to_thread(monitor.wait_ready)
        async with httpx.AsyncClient(base_url=monitor.url, trust_env=False, timeout=10) as http:
            async with http.stream("GET", "/stream", params={"window": "15m"}) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                lines = answer.aiter_lines()
                assert '"total": 0' in await data_of_next_report(lines)
                publish(client, events(40))
                await until(lambda: settled(client) == 40)
                while '"total": 40' not in await data_of_next_report(lines):
                    pass
            report = (await http.get("/report")).json()
            assert report["predictions"]["total"] == 40
            metrics = (await http.get("/metrics")).text
            cats = report["predictions"]["cat"]
            assert f'catnet_predictions_total{{label="cat",model="catnet-mlp/1"}} {cats:.1f}' in metrics
            assert 'catnet_prediction_latency_seconds_count{model="catnet-mlp/1"} 40.0' in metrics

            redis_server.kill()
            assert (await http.get("/report")).status_code == 503
            assert "catnet_redis_up 0.0" in (await http.get("/metrics")).text
            ready = await http.get("/health/ready")
            assert (ready.status_code, "redis" in ready.json()["failing"]) == (503, True)
            assert (await http.get("/health/live")).status_code == 200
            await asyncio.to_thread(redis_server.start)
            await asyncio.to_thread(monitor.wait_ready)
            assert (await http.get("/report")).json()["predictions"]["total"] == 40
    finally:
        monitor.stop()


async def test_an_open_stream_ends_when_the_service_is_told_to_stop(redis_server: RedisServer, tmp_path: Path) -> None:
    monitor = ServiceProcess(
        "monitor", free_port(), {"REDIS_URL": redis_server.url, "DEFAULT_MODEL": "catnet-mlp"}, tmp_path / "monitor.log"
    )
    monitor.start()
    try:
        await asyncio.to_thread(monitor.wait_ready)
        async with (
            httpx.AsyncClient(base_url=monitor.url, trust_env=False, timeout=10) as http,
            http.stream("GET", "/stream") as answer,
        ):
            lines = answer.aiter_lines()
            await data_of_next_report(lines)
            stopping = asyncio.create_task(asyncio.to_thread(monitor.stop))
            async with asyncio.timeout(10):
                async for _ in lines:
                    pass
                await stopping
    finally:
        monitor.kill()


async def data_of_next_report(lines: AsyncIterator[str]) -> str:
    async with asyncio.timeout(10):
        async for line in lines:
            if line.startswith("data: "):
                return line
    raise AssertionError("the stream ended")


def with_version(event: PredictionEvent, version: str) -> PredictionEvent:
    return PredictionEvent.from_fields(event.to_fields() | {"model_version": version})
