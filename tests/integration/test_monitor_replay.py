"""Aggregates rebuilt from the stream equal the live ones bit for bit, and a difference is found; on a real Redis."""

from __future__ import annotations

import asyncio
import csv
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from events.names import STREAM
from events.prediction import ServedPrediction
from monitor.batches import plan
from monitor.feedback import Feedback, FeedbackDesk
from monitor.manifests import Manifests
from monitor.redis_history import RedisHistory
from monitor.redis_stream import RedisStream
from monitor.replay import CannotReplace, compare, rebuild
from redis_server import RedisServer

from tests.integration.monitoring import aggregates, consuming, events, pipeline_counts, publish, settled, until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def history(redis_server: RedisServer) -> AsyncIterator[RedisHistory]:
    history = RedisHistory(redis_server.url)
    yield history
    await history.close()


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    return Manifests(tmp_path)


@pytest.fixture
async def lively(redis_server: RedisServer, client: redis.Redis, tmp_path: Path) -> AsyncIterator[RedisStream]:
    """A consumed stream with all that happens: copies, late events, shadows, no events, feedback and second ones."""
    some = events(3000, seed=1)
    late = events(50, seed=2, end=datetime.now(UTC) - timedelta(days=2))
    served = ServedPrediction(some[0].prediction_id, "catnet-mlp", "1", some[0].label, some[0].cat_probability)
    shadows = [replace(event, model_version="2", shadow_of=served) for event in events(40, seed=3)]
    async with consuming(redis_server.url, tmp_path, batch_events=170) as stream:
        publish(client, [*some, *some[:100], *late, *shadows])
        client.xadd(STREAM, {"hello": "world"})
        await until(lambda: settled(client) == 3191)
        desk = FeedbackDesk(stream, Manifests(tmp_path), remembered_hours=24)
        for event, label in zip(some[:12], ["cat", "non-cat"] * 6, strict=True):
            await desk.take(Feedback(uuid.UUID(event.prediction_id), label))  # type: ignore[arg-type]
            await desk.take(Feedback(uuid.UUID(event.prediction_id), "cat"))
        yield stream


async def test_replay_equals_live(lively: RedisStream, history: RedisHistory, manifests: Manifests) -> None:
    comparison = await compare(history, manifests)
    assert comparison.differences == []
    assert comparison.is_whole
    assert comparison.events == 3050
    assert comparison.keys > 10


@pytest.mark.parametrize("field", ["events", "feedback:cat:cat", "latency_us"])
async def test_one_count_more_is_found(
    lively: RedisStream, client: redis.Redis, history: RedisHistory, manifests: Manifests, field: str
) -> None:
    key = next(iter(client.scan_iter("catnet:minute:*")))
    client.hincrby(key, field, 1)
    [difference] = (await compare(history, manifests)).differences
    assert (difference.key, difference.field, difference.live - difference.replayed) == (key, field, 1)


async def test_a_bucket_too_many_or_too_few_is_found(
    lively: RedisStream, client: redis.Redis, history: RedisHistory, manifests: Manifests
) -> None:
    [lost, *_] = client.scan_iter("catnet:hour:*")
    client.delete(lost)
    client.hset("catnet:hour:catnet-mlp/9:1700000000", "events", 3)
    keys = {difference.key for difference in (await compare(history, manifests)).differences}
    assert keys == {lost, "catnet:hour:catnet-mlp/9:1700000000"}


async def test_rebuilding_makes_damaged_aggregates_what_they_were(
    lively: RedisStream, client: redis.Redis, history: RedisHistory, manifests: Manifests
) -> None:
    before, remembered = aggregates(client), {key: client.hgetall(key) for key in client.scan_iter("catnet:counted:*")}
    expiries = {key: client.ttl(key) for key in before}
    for key in before:
        client.hset(key, mapping={"events": 99, "latency:1": 5})
    client.hset("catnet:hour:catnet-mlp/9:1700000000", "events", 3)
    client.hset("catnet:pipeline", "consumed", 1)
    await rebuild(history, manifests, dedupe_hours=24)
    assert aggregates(client) == before
    assert {key: client.ttl(key) for key in before} == pytest.approx(expiries, abs=30)
    assert pipeline_counts(client) == {"consumed": 3050, "shadow": 40, "duplicates": 100, "dead": 1, "lost": 0}
    recent = {key: client.hgetall(key) for key in client.scan_iter("catnet:counted:*")}
    assert recent.items() <= remembered.items()
    assert recent
    assert not list(client.scan_iter("catnet-replay:*"))
    assert not (await compare(history, manifests)).differences


async def test_after_a_rebuild_copies_are_still_known(
    lively: RedisStream, client: redis.Redis, history: RedisHistory, manifests: Manifests
) -> None:
    await rebuild(history, manifests, dedupe_hours=24)
    publish(client, events(200, seed=1))
    await until(lambda: pipeline_counts(client)["duplicates"] == 300)
    assert pipeline_counts(client)["consumed"] == 3050


async def test_a_comparison_and_a_rebuild_are_exact_while_events_flow(
    redis_server: RedisServer, client: redis.Redis, history: RedisHistory, manifests: Manifests, tmp_path: Path
) -> None:
    some = events(6000, seed=5)

    async def flow() -> None:
        for start in range(0, 6000, 60):
            await asyncio.to_thread(publish, client, some[start : start + 60])
            await asyncio.sleep(0.02)

    async with consuming(redis_server.url, tmp_path), consuming(redis_server.url, tmp_path):
        flowing = asyncio.create_task(flow())
        await until(lambda: settled(client) > 500)
        rounds = 0
        while not flowing.done():
            assert (await compare(history, manifests)).differences == []
            await rebuild(history, manifests, dedupe_hours=24)
            rounds += 1
        await flowing
        await until(lambda: settled(client) == 6000)
        assert rounds
        assert (await compare(history, manifests)).differences == []
    assert pipeline_counts(client)["consumed"] == 6000


async def test_entries_that_are_pending_are_not_counted_by_a_replay_until_they_are_live(
    redis_server: RedisServer, client: redis.Redis, history: RedisHistory, manifests: Manifests, tmp_path: Path
) -> None:
    stream = RedisStream(redis_server.url)
    await stream.create_group(redeliver_seconds=0)
    publish(client, events(300))
    await stream.read("gone", 100)
    entries = await stream.read("here", 100)
    await stream.apply(plan(entries, manifests, stream.keys), remember_seconds=3600)
    await stream.close()
    comparison = await compare(history, manifests)
    assert (comparison.events, comparison.differences) == (100, [])
    await rebuild(history, manifests, dedupe_hours=24)
    async with consuming(redis_server.url, tmp_path):
        await until(lambda: settled(client) == 300)
    comparison = await compare(history, manifests)
    assert (comparison.events, comparison.differences) == (300, [])


async def test_a_trimmed_stream_is_never_taken_for_the_whole(
    lively: RedisStream, client: redis.Redis, history: RedisHistory, manifests: Manifests
) -> None:
    client.xtrim(STREAM, maxlen=1000, approximate=False)
    comparison = await compare(history, manifests)
    assert (comparison.is_whole, comparison.differences) == (False, [])
    with pytest.raises(CannotReplace):
        await rebuild(history, manifests, dedupe_hours=24)
    assert pipeline_counts(client)["consumed"] == 3050


async def test_an_empty_redis_is_equal_to_nothing(history: RedisHistory, manifests: Manifests) -> None:
    assert (await compare(history, manifests)).differences == []
    with pytest.raises(CannotReplace):
        await rebuild(history, manifests, dedupe_hours=24)


def command(redis_url: str, models_dir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monitor", *words],
        env={**os.environ, "REDIS_URL": redis_url, "MODELS_DIR": str(models_dir)},
        capture_output=True,
        text=True,
        timeout=60,
    )


async def test_the_commands_say_what_they_found_and_exit_with_it(
    redis_server: RedisServer, lively: RedisStream, client: redis.Redis, tmp_path: Path
) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return command(redis_server.url, tmp_path, *words)

    equal = await asyncio.to_thread(run, "replay", "--check")
    assert (equal.returncode, equal.stdout.split()[:3]) == (0, ["equal:", "3050", "events,"])
    client.hincrby("catnet:total:catnet-mlp/1", "events", 2)
    different = await asyncio.to_thread(run, "replay", "--check")
    assert different.returncode == 1
    assert "catnet:total:catnet-mlp/1 events: live 3052, replayed 3050" in different.stdout
    assert (await asyncio.to_thread(run, "replay")).returncode == 0
    assert (await asyncio.to_thread(run, "replay", "--check")).returncode == 0


async def test_the_export_holds_every_event_once(
    redis_server: RedisServer, lively: RedisStream, tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    done = await asyncio.to_thread(command, redis_server.url, tmp_path, "export", "--output", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    exact = {event.prediction_id: event for event in events(3000, seed=1)}
    assert len(rows) == 3090
    assert sum(bool(row["shadow_of"]) for row in rows) == 40
    for row in rows[:3000]:
        event = exact.pop(row["prediction_id"])
        assert float(row["cat_probability"]) == event.cat_probability
        assert float(row["feature_sharpness"]) == pytest.approx(event.features["sharpness"], rel=1e-5)
        assert float(row["total_seconds"]) == event.total_seconds
    assert not exact


async def test_the_same_as_parquet(redis_server: RedisServer, lively: RedisStream, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    path = tmp_path / "events.parquet"
    done = await asyncio.to_thread(
        command, redis_server.url, tmp_path, "export", "--format", "parquet", "--output", str(path)
    )
    assert done.returncode == 0, done.stderr
    table = parquet.read_table(path)
    assert table.num_rows == 3090
    assert set(table.column("label").to_pylist()) == {"cat", "non-cat"}


@pytest.mark.parametrize("words", [["replay", "--chek"], ["export", "--format", "xlsx"], ["compact"]])
def test_a_wrong_command_is_answered_with_its_usage(words: list[str], tmp_path: Path) -> None:
    done = command("redis://127.0.0.1:1/0", tmp_path, *words)
    assert done.returncode == 2
    assert "usage: python -m monitor" in done.stderr


@pytest.mark.parametrize("words", [["replay"], ["replay", "--check"], ["export", "--output", "/nowhere/events.csv"]])
def test_without_redis_a_command_says_so(words: list[str], tmp_path: Path) -> None:
    done = command(
        "redis://127.0.0.1:1/0", tmp_path, *words, *(["--output", str(tmp_path / "x")] * ("export" in words))
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("monitor: Redis does not answer")
