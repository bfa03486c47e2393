"""What Prometheus computes from the histogram is what the report says of the same events, within a bucket."""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from preflight import free_port
from prometheus_client.parser import text_string_to_metric_families
from redis_server import RedisServer
from servicekit.http_metrics import DURATION_BUCKETS_SECONDS

from tests.integration.monitoring import MODEL, events, publish, settled, until
from tests.processes import ServiceProcess, wait_until
from tests.tools import missing

pytestmark = pytest.mark.anyio
NAME = "catnet_prediction_latency_seconds"
COUNT = 5000


@pytest.fixture
def monitors(redis_server: RedisServer, tmp_path: Path) -> Iterator[list[ServiceProcess]]:
    monitors = [
        ServiceProcess("monitor", free_port(), {"REDIS_URL": redis_server.url}, tmp_path / f"monitor-{number}.log")
        for number in range(2)
    ]
    for monitor in monitors:
        monitor.start()
    try:
        for monitor in monitors:
            monitor.wait_ready()
        yield monitors
    finally:
        for monitor in monitors:
            monitor.stop()


def scrape(monitor: ServiceProcess) -> dict[str, float]:
    """All that comes from Redis: "name{labels}" -> value."""
    text = httpx.get(f"{monitor.url}/metrics", timeout=10, trust_env=False).text
    return {
        sample.name + json.dumps(sample.labels, sort_keys=True): sample.value
        for family in text_string_to_metric_families(text)
        if family.name.startswith(("catnet_predict", "catnet_drift", "catnet_events_", "catnet_feedback"))
        for sample in family.samples
        if not math.isnan(sample.value)
    }


def histogram_quantile(fraction: float, buckets: Sequence[tuple[float, float]]) -> float:
    """As PromQL's: linear within the first bucket whose cumulative count reaches the rank.

    Source: Prometheus documentation, "Query functions", histogram_quantile.
    """
    rank = fraction * buckets[-1][1]
    below, counted = 0.0, 0.0
    for edge, cumulative in buckets:
        if cumulative >= rank:
            return below if math.isinf(edge) else below + (edge - below) * (rank - counted) / (cumulative - counted)
        below, counted = edge, cumulative
    raise AssertionError("the last bucket has no end")


def buckets_of(samples: dict[str, float]) -> list[tuple[float, float]]:
    prefix = NAME + "_bucket"
    found = [(json.loads(name[len(prefix) :]), value) for name, value in samples.items() if name.startswith(prefix)]
    return sorted((float(labels["le"]), value) for labels, value in found if labels["model"] == MODEL)


def within_a_bucket(one: float, other: float) -> bool:
    edges = [0.0, *DURATION_BUCKETS_SECONDS, math.inf]

    def number(seconds: float) -> int:
        return next(i for i, edge in enumerate(edges) if seconds <= edge)

    return abs(number(one) - number(other)) <= 1


async def report_of(monitor: ServiceProcess) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=monitor.url, trust_env=False, timeout=10) as http:
        return dict((await http.get("/report", params={"window": "1h", "model": MODEL})).json())


async def test_replicas_show_the_same_and_agree_with_the_report(
    monitors: list[ServiceProcess], client: redis.Redis
) -> None:
    publish(client, events(COUNT))
    await until(lambda: settled(client) == COUNT, 60)
    one, other = [await asyncio.to_thread(scrape, monitor) for monitor in monitors]
    assert one == other
    latency = (await report_of(monitors[0]))["latency_ms"]
    buckets = buckets_of(one)
    assert buckets[-1] == (math.inf, COUNT)
    for name, fraction in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        assert within_a_bucket(histogram_quantile(fraction, buckets), latency[name] / 1000)


async def test_counters_go_on_where_they_were_after_every_monitor_was_killed(
    monitors: list[ServiceProcess], client: redis.Redis
) -> None:
    publish(client, events(500, seed=1))
    await until(lambda: settled(client) == 500, 60)
    before = await asyncio.to_thread(scrape, monitors[0])
    for monitor in monitors:
        monitor.kill()
        monitor.start()
    for monitor in monitors:
        await asyncio.to_thread(monitor.wait_ready)
    assert await asyncio.to_thread(scrape, monitors[0]) == before
    publish(client, events(100, seed=2))
    await until(lambda: settled(client) == 600, 60)
    after = await asyncio.to_thread(scrape, monitors[1])
    assert all(after[name] >= value for name, value in before.items() if "_total" in name or "_bucket" in name)
    assert buckets_of(after)[-1][1] == 600


async def test_a_prometheus_computes_the_percentile_that_the_report_shows(
    monitors: list[ServiceProcess], client: redis.Redis, tmp_path: Path
) -> None:
    prometheus = shutil.which("prometheus") or missing("Prometheus", "apt install prometheus")
    target, port = monitors[0].url.removeprefix("http://"), free_port()
    (tmp_path / "prometheus.yml").write_text(
        f"scrape_configs: [{{job_name: monitor, scrape_interval: 1s, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    publish(client, events(COUNT))
    await until(lambda: settled(client) == COUNT, 60)
    command = [prometheus, f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)  # noqa: ASYNC220 - it only begins
    try:
        query = f'histogram_quantile(0.95, {NAME}_bucket{{model="{MODEL}"}})'
        found: list[float] = []

        def is_answered() -> bool:
            assert process.poll() is None, (tmp_path / "prometheus.log").read_text()[-2000:]
            try:
                url = f"http://127.0.0.1:{port}/api/v1/query"
                answer = httpx.get(url, params={"query": query, "time": time.time()}, timeout=5, trust_env=False)
            except httpx.TransportError:
                return False
            if answer.status_code == 503:  # it still reads its write-ahead log
                return False
            found[:] = [float(each["value"][1]) for each in answer.json().get("data", {}).get("result", [])]
            return bool(found)

        await asyncio.to_thread(wait_until, is_answered, "Prometheus answers")
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)
    assert within_a_bucket(found[0], (await report_of(monitors[0]))["latency_ms"]["p95"] / 1000)
    exact = histogram_quantile(0.95, buckets_of(await asyncio.to_thread(scrape, monitors[0])))
    assert found[0] == pytest.approx(exact, rel=1e-9)
