"""Feedback reaches the prediction it is about, once, and everything that is shown of it; on a real Redis."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from events.names import STREAM
from events.prediction import PredictionEvent
from monitor.feedback import Feedback, FeedbackDesk, NotCountedYet, UnknownPrediction
from monitor.manifests import Manifests
from monitor.redis_connection import RedisAway
from monitor.redis_stream import RedisStream
from monitor.report import Report, Reports
from monitor.windows import WINDOWS
from preflight import free_port
from redis_server import RedisServer

from tests.integration.monitoring import consuming, events, publish, settled, until
from tests.processes import ServiceProcess

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stream(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[RedisStream]:
    async with consuming(redis_server.url, tmp_path) as stream:
        yield stream


@pytest.fixture
def desk(stream: RedisStream, tmp_path: Path) -> FeedbackDesk:
    return FeedbackDesk(stream, Manifests(tmp_path), remembered_hours=24)


def says(event: PredictionEvent, label: Any) -> Feedback:
    return Feedback(uuid.UUID(event.prediction_id), label)


async def shown(stream: RedisStream, tmp_path: Path, window: str = "1h") -> Report:
    reports = Reports(stream, Manifests(tmp_path), default_model="catnet-mlp")
    return await reports.build(WINDOWS[window], await reports.manifest(None))


async def counted(client: redis.Redis, some: list[PredictionEvent]) -> None:
    publish(client, some)
    await until(lambda: settled(client) == len(some))


@pytest.mark.parametrize(
    "prediction_id",
    [
        "c9c1a4d0-5ad5-4f6e-9d57-0123456789ab",
        "01940000-0000-7000-8000-000000000000",
        "01940000-0000-7000-0000-000000000000",
        "00000000-0000-0000-0000-000000000000",
    ],
)
async def test_a_prediction_is_found_again_whatever_kind_of_uuid_it_has(
    client: redis.Redis, desk: FeedbackDesk, prediction_id: str
) -> None:
    [event] = events(1)
    await counted(client, [replace(event, prediction_id=prediction_id)])
    answer = await desk.take(Feedback(uuid.UUID(prediction_id), event.label))
    assert (answer["prediction_id"], answer["agrees"]) == (prediction_id, True)


async def test_feedback_shows_in_every_window_as_an_exact_computation_has_it(
    stream: RedisStream, client: redis.Redis, desk: FeedbackDesk, tmp_path: Path
) -> None:
    some = events(60)
    await counted(client, some)
    truths = {event.prediction_id: "cat" if number % 3 else "non-cat" for number, event in enumerate(some[:40])}
    for event in some[:40]:
        answer = await desk.take(says(event, truths[event.prediction_id]))
        assert answer["agrees"] == (event.label == truths[event.prediction_id])
    right = sum(event.label == truths[event.prediction_id] for event in some[:40])
    for window in WINDOWS:
        feedback = (await shown(stream, tmp_path, window))["quality"]["feedback"]
        assert (feedback["count"], feedback["accuracy"]) == (40, right / 40)
        assert feedback["low"] < right / 40 < feedback["high"]
        for said in ("cat", "non-cat"):
            for truth in ("cat", "non-cat"):
                exact = sum(event.label == said and truths[event.prediction_id] == truth for event in some[:40])
                assert feedback["confusion"][said][truth] == exact
        assert sum(each["count"] for each in feedback["calibration"]) == 40
    recent = (await shown(stream, tmp_path))["recent"]
    assert [each["feedback"] for each in recent] == [truths.get(each["prediction_id"]) for each in recent]


async def test_a_second_word_replaces_the_first_and_the_same_again_changes_nothing(
    stream: RedisStream, client: redis.Redis, desk: FeedbackDesk, tmp_path: Path
) -> None:
    [event] = events(1)
    await counted(client, [event])
    other = "non-cat" if event.label == "cat" else "cat"
    assert (await desk.take(says(event, other)))["replaced"] is None
    await desk.take(says(event, other))
    assert (await desk.take(says(event, event.label)))["replaced"] == other
    feedback = (await shown(stream, tmp_path))["quality"]["feedback"]
    assert (feedback["count"], feedback["accuracy"]) == (1, 1.0)
    assert client.xlen("catnet:feedback") == 2
    totals = client.hgetall("catnet:total:catnet-mlp/1")
    assert (totals["feedback_taken:true"], totals["feedback_taken:false"]) == ("1", "1")


async def test_many_people_at_once_about_one_prediction_are_one_word(
    stream: RedisStream, client: redis.Redis, desk: FeedbackDesk, tmp_path: Path
) -> None:
    [event] = events(1)
    await counted(client, [event])
    await asyncio.gather(*(desk.take(says(event, label)) for label in ("cat", "non-cat") * 10))
    assert (await shown(stream, tmp_path))["quality"]["feedback"]["count"] == 1


async def test_a_late_prediction_takes_feedback_in_the_buckets_that_are_left(
    stream: RedisStream, client: redis.Redis, desk: FeedbackDesk, tmp_path: Path
) -> None:
    [event] = events(1)
    old = replace(event, time=event.time - timedelta(hours=10))
    await counted(client, [old])
    await desk.take(says(old, "cat"))
    assert not list(client.scan_iter("catnet:minute:*"))
    assert (await shown(stream, tmp_path, "24h"))["quality"]["feedback"]["count"] == 1


@pytest.mark.parametrize("prediction_id", [uuid.uuid4(), uuid.UUID("01940000-0000-7000-8000-000000000000")])
async def test_an_id_that_nobody_knows_is_unknown(
    client: redis.Redis, desk: FeedbackDesk, prediction_id: uuid.UUID
) -> None:
    with pytest.raises(UnknownPrediction):
        await desk.take(Feedback(prediction_id, "cat"))
    assert not client.exists("catnet:nothing")  # asking has written nothing


@pytest.mark.parametrize("command", [("CONFIG", "SET", "maxmemory", "1"), ("REPLICAOF", "127.0.0.1", "1")])
async def test_while_redis_takes_no_events_nobody_is_told_that_a_prediction_is_unknown(
    client: redis.Redis, desk: FeedbackDesk, command: tuple[str, ...]
) -> None:
    client.execute_command(*command)
    with pytest.raises(RedisAway):
        await desk.take(Feedback(uuid.uuid4(), "cat"))


async def test_while_the_stream_waits_nobody_is_told_that_a_prediction_is_unknown(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.feedback.WAIT_SECONDS", 0.1)
    stream = RedisStream(redis_server.url)
    await stream.create_group(redeliver_seconds=0)
    [event] = events(1)
    client.xadd(STREAM, event.to_fields())
    with pytest.raises(NotCountedYet):
        await FeedbackDesk(stream, Manifests(tmp_path), remembered_hours=24).take(says(event, "cat"))
    await stream.close()


async def test_the_service_takes_feedback_refuses_what_is_none_and_counts_both(
    redis_server: RedisServer, client: redis.Redis, tmp_path: Path
) -> None:
    monitor = ServiceProcess(
        "monitor", free_port(), {"REDIS_URL": redis_server.url, "DEFAULT_MODEL": "catnet-mlp"}, tmp_path / "monitor.log"
    )
    monitor.start()
    [event] = events(1)
    try:
        await asyncio.to_thread(monitor.wait_ready)
        publish(client, [event])  # and no wait: the desk waits for what is on its way
        async with httpx.AsyncClient(base_url=monitor.url, trust_env=False, timeout=10) as http:
            body = {"prediction_id": event.prediction_id, "label": "cat"}
            answer = await http.post("/feedback", json=body)
            assert (answer.status_code, answer.json()["predicted"]) == (200, event.label)
            unknown = await http.post("/feedback", json=body | {"prediction_id": str(uuid.uuid4())})
            assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")
            assert (await http.post("/feedback", json=body | {"label": "dog"})).status_code == 400
            assert (await http.post("/feedback", content=b"x" * 2000)).status_code == 413
            assert (await http.get("/feedback")).status_code == 405
            metrics = (await http.get("/metrics")).text
            agrees, disagrees = float(event.label == "cat"), float(event.label != "cat")
            assert f'catnet_feedback_total{{agrees="true"}} {agrees}' in metrics
            assert f'catnet_feedback_total{{agrees="false"}} {disagrees}' in metrics
            report = (await http.get("/report")).json()
            assert report["recent"][0]["feedback"] == "cat"
    finally:
        monitor.stop()
