"""Inference stopped or killed under load: everybody is told soon, nobody hangs, and it goes on when it is back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.pictures import photo
from tests.processes import Catnet, run_catnet, wait_until

CLIENTS = 8
DEADLINE_SECONDS = 2.0
SOON_SECONDS = 0.5


@dataclass(frozen=True)
class Answered:
    at: float
    seconds: float
    status: int


def send_until(over: Event, url: str, answers: list[Answered]) -> None:
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
        while not over.is_set():
            start = time.monotonic()
            status = http.post("/predict", files={"file": ("cat.jpg", photo(), "image/jpeg")}).status_code
            answers.append(Answered(time.monotonic(), time.monotonic() - start, status))
            time.sleep(0.02)  # somebody who is refused does not ask again at once


def stop(catnet: Catnet) -> Callable[[], None]:
    pid = catnet.inference.pid
    os.kill(pid, signal.SIGSTOP)
    return lambda: os.kill(pid, signal.SIGCONT)


def kill(catnet: Catnet) -> Callable[[], None]:
    catnet.inference.kill()
    return catnet.inference.start


@pytest.mark.parametrize("end", [stop, kill])
def test_it_is_said_soon_and_is_over_soon(tmp_path: Path, end: Callable[[Catnet], Callable[[], None]]) -> None:
    answers: list[Answered] = []
    with run_catnet(tmp_path, REQUEST_TIMEOUT_SECONDS=str(DEADLINE_SECONDS)) as catnet:
        over = Event()
        with ThreadPoolExecutor(CLIENTS) as pool:
            sending = [pool.submit(send_until, over, catnet.gateway_url, answers) for _ in range(CLIENTS)]
            try:
                wait_until(lambda: sum(each.status == 200 for each in answers) > CLIENTS, "predictions are answered")
                bring_back = end(catnet)
                ended = time.monotonic()
                wait_until(
                    lambda: sum(each.status == 503 and each.at > ended for each in list(answers)) > 10 * CLIENTS,
                    "the gateway refuses at once",
                )
                bring_back()
                back = time.monotonic()
                wait_until(lambda: any(each.status == 200 and each.at > back for each in list(answers)), "it is back")
            finally:
                over.set()
            for each in sending:
                each.result(30)
        assert {each.status for each in answers} <= {200, 502, 503, 504}
        assert max(each.seconds for each in answers) < DEADLINE_SECONDS + 1
        refused = sorted(each.seconds for each in answers if each.status == 503)
        assert refused[len(refused) // 2] < SOON_SECONDS
