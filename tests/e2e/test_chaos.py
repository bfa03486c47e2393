"""Twenty thousand events under load, while everything but the callers is killed at random points: exact to the event.

CHAOS_SEED= chooses other points. What is killed never gets to say goodbye (SIGKILL), Redis included.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from events.names import DEAD_STREAM, STREAM
from monitor.manifests import Manifests
from monitor.redis_history import RedisHistory
from monitor.replay import Comparison, compare
from preflight import free_port
from redis_server import ROOT, RedisServer

from tests.integration.monitoring import MODEL, events, pipeline_counts
from tests.pictures import photo
from tests.processes import ServiceProcess, run_redis, wait_until

SEED = int(os.environ.get("CHAOS_SEED", "1"))
PUBLISHERS = 3
EVENTS = 7000
SECONDS = 30.0
POISON = 20
MARGIN_SECONDS = 3.0
"""How long after a Redis was killed an answer may have left without its event being waited for."""


@dataclass
class Asking:
    """Real predictions, asked of inference one after another; ``answered`` has their ids and when they came."""

    url: str
    answered: list[tuple[str, float]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with httpx.Client(base_url=self.url, timeout=5, trust_env=False) as http:
            while not self.stop.wait(0.03):
                try:
                    answer = http.post("/predict", content=photo(seed=len(self.answered) % 20))
                except httpx.TransportError:
                    continue
                if answer.status_code == 200:
                    self.answered.append((answer.json()["prediction_id"], time.monotonic()))


@dataclass
class Chaos:
    redis: RedisServer
    monitors: list[ServiceProcess]
    inference: ServiceProcess
    outages: list[tuple[float, float]] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)

    def strike(self, rng: random.Random) -> None:
        what = rng.choice(["redis", "monitor", "monitor", "inference", "poison"])
        self.kills[what] += 1
        if what == "redis":
            began = time.monotonic()
            self.redis.kill()
            time.sleep(rng.uniform(0, 0.8))
            self.redis.start()
            self.outages.append((began, time.monotonic()))
        elif what == "poison":
            with redis.Redis.from_url(self.redis.url) as client:
                for _ in range(POISON):
                    client.xadd(STREAM, {"schema_version": "99", "nonsense": rng.random()})
        else:
            service = self.inference if what == "inference" else rng.choice(self.monitors)
            service.kill()
            service.start()


@pytest.fixture
def chaos(tmp_path: Path) -> Iterator[Chaos]:
    with ExitStack() as stack:
        server = stack.enter_context(run_redis(tmp_path / "redis"))
        environment = {"REDIS_URL": server.url, "CLAIM_IDLE_SECONDS": "0.5", "EVENT_WAIT_SECONDS": "1"}
        services = [
            ServiceProcess(name, free_port(), environment, tmp_path / f"{name}-{number}.log")
            for number, name in enumerate(("monitor", "monitor", "inference"))
        ]
        for service in services:
            stack.callback(service.kill)
            service.start()
        for service in services:
            service.wait_ready()
        yield Chaos(server, services[:2], services[2])


def report_of(monitor: ServiceProcess) -> dict[str, Any]:
    answer = httpx.get(f"{monitor.url}/report", params={"model": MODEL}, timeout=10, trust_env=False)
    return dict(answer.json()) if answer.status_code == 200 else {"pipeline": {"lag": 1}}


def is_settled(monitor: ServiceProcess, inference: ServiceProcess) -> bool:
    """Whether nothing is on its way: what inference has answered may not be in the stream yet."""
    try:
        buffer = httpx.get(f"{inference.url}/metrics", timeout=10, trust_env=False).text
        pipeline = report_of(monitor)["pipeline"]
    except httpx.TransportError:
        return False
    return "\ncatnet_event_buffer_size 0.0\n" in buffer and pipeline["lag"] == 0 and pipeline["pending"] == 0


async def replayed(url: str) -> Comparison:
    history = RedisHistory(url)
    try:
        return await compare(history, Manifests(ROOT / "models"))
    finally:
        await history.close()


def test_whatever_is_killed_every_event_is_counted_once(chaos: Chaos) -> None:
    rng = random.Random(SEED)
    print(f"CHAOS_SEED={SEED}")
    asking = Asking(chaos.inference.url)
    command = [sys.executable, "-m", "tests.e2e.publishing", chaos.redis.url]
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(asking.run)
        publishers = [
            subprocess.Popen([*command, str(seed), str(EVENTS), str(SECONDS)], cwd=ROOT) for seed in range(PUBLISHERS)
        ]
        try:
            while any(publisher.poll() is None for publisher in publishers):
                time.sleep(rng.uniform(0.2, 2.0))
                chaos.strike(rng)
        finally:
            asking.stop.set()
            for publisher in publishers:
                publisher.kill() if publisher.poll() is None else None
        asked.result()
    assert [publisher.returncode for publisher in publishers] == [0] * PUBLISHERS
    assert min(chaos.kills[what] for what in ("redis", "monitor", "inference")) >= 1, chaos.kills
    for service in (*chaos.monitors, chaos.inference):
        service.wait_ready()
    wait_until(lambda: is_settled(chaos.monitors[0], chaos.inference), "the stream is read to its end")
    check(chaos, asking, lambda monitor: report_of(monitor))


def check(chaos: Chaos, asking: Asking, report: Callable[[ServiceProcess], dict[str, Any]]) -> None:
    """Every count against the stream itself, and the stream against those who published."""
    with redis.Redis.from_url(chaos.redis.url, decode_responses=True) as client:
        entries = [fields for _, fields in client.xrange(STREAM)]
        counted = pipeline_counts(client)
        dead = client.xlen(DEAD_STREAM)
    events_in_stream = [fields for fields in entries if "prediction_id" in fields]
    by_id = {fields["prediction_id"]: fields for fields in events_in_stream}
    published = {event.prediction_id: event for seed in range(PUBLISHERS) for event in events(EVENTS, seed=seed)}

    assert len(published) == PUBLISHERS * EVENTS >= 20_000
    assert published.keys() <= by_id.keys()
    assert counted["consumed"] == len(by_id)
    assert counted.get("duplicates", 0) == len(events_in_stream) - len(by_id)
    assert counted.get("dead", 0) == dead == len(entries) - len(events_in_stream)
    waited_for = {
        prediction_id
        for prediction_id, at in asking.answered
        if not any(began - MARGIN_SECONDS < at < ended + MARGIN_SECONDS for began, ended in chaos.outages)
    }
    assert waited_for
    assert waited_for <= by_id.keys()

    of_model = [f for f in by_id.values() if f"{f['model_name']}/{f['model_version']}" == MODEL]
    for monitor in chaos.monitors:
        shown = report(monitor)
        assert shown["predictions"]["total"] == len(of_model)
        assert shown["predictions"]["cat"] == sum(fields["label"] == "cat" for fields in of_model)
        assert shown["latency_ms"]["count"] == len(of_model)
        pipeline = shown["pipeline"]
        poison = counted.get("dead", 0)  # was added by nobody who answers
        in_accounts = pipeline["consumed"] + pipeline["dead"] + pipeline["buffered"] + pipeline["dropped"]
        assert pipeline["lost"] == 0
        assert pipeline["answered"] == in_accounts - poison
    comparison = asyncio.run(replayed(chaos.redis.url))
    assert comparison.is_whole
    assert comparison.differences == []
    print(f"{dict(chaos.kills)}, {len(entries)} entries, {counted}, {len(asking.answered)} real predictions")
