"""The inference process: what it starts without, and what it leaves behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import redis
from events.accounting import PublisherCounters
from events.names import PUBLISHERS, STREAM, publisher_counters
from preflight import free_port
from redis_server import ROOT, RedisServer

from tests.pictures import black_png, photo
from tests.processes import ServiceProcess, wait_until

NONE_DROPPED = {"buffer_full": 0, "refused": 0, "shutdown": 0}


@pytest.fixture
def inference(redis_server: RedisServer, tmp_path: Path) -> Iterator[ServiceProcess]:
    """Not started yet."""
    process = ServiceProcess("inference", free_port(), {"REDIS_URL": redis_server.url}, tmp_path / "inference.log")
    yield process
    process.stop()


def predict(inference: ServiceProcess) -> str:
    """The id of an answered prediction."""
    answer = httpx.post(f"{inference.url}/predict", content=photo(), timeout=5, trust_env=False)
    assert answer.status_code == 200
    prediction_id: str = answer.json()["prediction_id"]
    return prediction_id


def test_events_kept_back_since_the_start_are_flushed_in_order_by_sigterm(
    redis_server: RedisServer, inference: ServiceProcess
) -> None:
    redis_server.stop()
    inference.start()
    inference.wait_ready()  # without Redis
    answered = [predict(inference) for _ in range(10)]
    redis_server.start()
    inference.stop()
    with redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
        stored = [fields["prediction_id"] for _, fields in client.xrange(STREAM)]
        (instance,) = client.zrange(PUBLISHERS, 0, -1)
        counters = PublisherCounters.from_fields(client.hgetall(publisher_counters(instance)))
    assert stored == answered
    assert counters == PublisherCounters(10, 10, 0, NONE_DROPPED)


def test_sigterm_ends_it_within_its_bound_where_redis_stays_away(
    redis_server: RedisServer, inference: ServiceProcess
) -> None:
    redis_server.stop()
    inference.start()
    inference.wait_ready()
    predict(inference)
    inference.stop()
    assert not inference.is_running()
    assert "events dropped at shutdown" in inference.log.read_text()


def test_an_upload_and_a_redis_that_both_stand_still_do_not_keep_it_past_the_sum_of_its_bounds(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    process = ServiceProcess(
        "inference",
        free_port(),
        {"REDIS_URL": redis_server.url, "SHUTDOWN_SECONDS": "1", "EVENT_FLUSH_SECONDS": "0.4"},
        tmp_path / "standing.log",
    )
    with redis.Redis.from_url(redis_server.url) as client:
        redis_pid = client.info("server")["process_id"]
    process.start()
    try:
        process.wait_ready()
        os.kill(redis_pid, signal.SIGSTOP)
        predict(process)
        with socket.create_connection(("127.0.0.1", int(process.url.rpartition(":")[2]))) as upload:
            upload.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
            began = time.monotonic()
            process.stop()
            assert time.monotonic() - began < 1 + 0.4 + 1  # the last is for the interpreter's own end
        assert "events dropped at shutdown" in process.log.read_text()
    finally:
        os.kill(redis_pid, signal.SIGCONT)
        process.stop()


def test_sighup_reloads_the_models_and_requests_go_on(redis_server: RedisServer, tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(ROOT / "models" / "catnet-mlp", models / "catnet-mlp")
    process = ServiceProcess(
        "inference",
        free_port(),
        {"REDIS_URL": redis_server.url, "MODELS_DIR": str(models), "DEFAULT_MODEL": "catnet-mlp"},
        tmp_path / "reloading.log",
    )
    process.start()
    try:
        process.wait_ready()
        shutil.copytree(models / "catnet-mlp", models / "damaged")  # its manifest is another's
        os.kill(process.pid, signal.SIGHUP)
        wait_until(lambda: 'catnet_model_reloads_total{result="refused"} 1.0' in metrics(process), "it is refused")
        predict(process)
        shutil.rmtree(models / "damaged")
        os.kill(process.pid, signal.SIGHUP)
        wait_until(lambda: 'catnet_model_reloads_total{result="ok"} 1.0' in metrics(process), "models are reloaded")
        predict(process)
    finally:
        process.stop()


def test_huge_pictures_leave_the_process_as_small_as_it_was(inference: ServiceProcess) -> None:
    """49 million pixels are allowed: some hundred megabytes while they are decoded, and none afterwards."""
    inference.start()
    inference.wait_ready()
    predict(inference)
    process = psutil.Process(inference.pid)
    before = process.memory_info().rss
    for _ in range(3):
        answer = httpx.post(f"{inference.url}/predict", content=black_png(7000), timeout=20, trust_env=False)
        assert answer.status_code == 200
    assert (process.memory_info().rss - before) / 1e6 < 40


def metrics(process: ServiceProcess) -> str:
    return httpx.get(f"{process.url}/metrics", timeout=5, trust_env=False).text
