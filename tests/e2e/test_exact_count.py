"""Every answered prediction is counted exactly once, whoever dies meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.processes import Catnet, run_catnet

PREDICTIONS = 1000
OUTAGE_SECONDS = 10.0


@pytest.fixture
def catnet(tmp_path: Path) -> Iterator[Catnet]:
    """A Catnet of its own, so that the report starts at 0."""
    with run_catnet(tmp_path) as catnet:
        yield catnet


@pytest.fixture
def client(catnet: Catnet) -> Iterator[Client]:
    with Client(catnet.gateway_url) as client:
        yield client


def assert_all_counted(client: Client, statuses: list[int]) -> None:
    assert statuses == [200] * PREDICTIONS
    client.wait_for_total(PREDICTIONS)
    report = client.report()
    assert report["predictions"]["total"] == PREDICTIONS
    assert report["predictions"]["cat"] + report["predictions"]["non_cat"] == PREDICTIONS
    assert report["latency_ms"]["count"] == PREDICTIONS
    assert sum(report["confidence"]["counts"]) == PREDICTIONS
    assert report["pipeline"]["dropped"] == 0
    assert report["pipeline"]["dead"] == 0


def test_a_thousand_predictions_at_concurrency_16_are_counted_as_a_thousand(client: Client) -> None:
    assert_all_counted(client, client.predict_many(PREDICTIONS))


def test_a_monitor_killed_twice_meanwhile_neither_loses_nor_repeats_one(catnet: Catnet, client: Client) -> None:
    with ThreadPoolExecutor(1) as background:
        sending = background.submit(client.predict_many, PREDICTIONS, seconds=8)
        for kills, seen in enumerate((200, 500), start=1):
            client.wait_for_at_least(seen)
            assert not sending.done(), f"kill {kills} came too late to prove anything"
            catnet.monitor.kill()
            catnet.monitor.start()
            catnet.monitor.wait_ready()
        assert_all_counted(client, sending.result())


def test_redis_away_for_ten_seconds_fails_no_prediction_and_loses_no_event(catnet: Catnet, client: Client) -> None:
    with ThreadPoolExecutor(1) as background:
        sending = background.submit(client.predict_many, PREDICTIONS, seconds=16)
        client.wait_for_at_least(150)
        catnet.redis.stop()
        threading.Event().wait(OUTAGE_SECONDS)
        assert not sending.done(), "Redis came back too late to prove anything"
        catnet.redis.start()
        assert_all_counted(client, sending.result())


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_redis_ended_at_any_moment_keeps_what_it_acknowledged(catnet: Catnet, client: Client, end: str) -> None:
    ends: dict[str, Callable[[], None]] = {"stop": catnet.redis.stop, "kill": catnet.redis.kill}
    with ThreadPoolExecutor(1) as background:
        sending = background.submit(client.predict_many, PREDICTIONS, seconds=6)
        for seen in (200, 500):
            client.wait_for_at_least(seen)
            assert not sending.done()
            ends[end]()
            catnet.redis.start()
        assert_all_counted(client, sending.result())


def test_an_inference_killed_meanwhile_loses_no_answered_prediction(catnet: Catnet, client: Client) -> None:
    with ThreadPoolExecutor(1) as background:
        sending = background.submit(client.predict_many, PREDICTIONS, seconds=8)
        client.wait_for_at_least(300)
        catnet.inference.kill()
        catnet.inference.start()
        statuses = sending.result()
    answered = statuses.count(200)
    assert 0 < answered <= PREDICTIONS
    assert set(statuses) <= {200, 502, 503, 504}
    client.wait_for_total(answered)
    # An answer may be lost with the process after it was counted; one that arrived must have been.
    assert answered <= client.total() <= PREDICTIONS
