"""What the end-to-end tests say to the gateway."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Self

import httpx

from tests.pictures import photo
from tests.processes import wait_until

CONCURRENCY = 16
HOLD_SECONDS = 120.0


class Client:
    """A person with a gateway's address; ignores the proxies of the machine."""

    def __init__(self, gateway_url: str) -> None:
        self.http = httpx.Client(
            base_url=gateway_url, timeout=15, trust_env=False, limits=httpx.Limits(max_connections=CONCURRENCY)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.http.close()

    def predict(self, image: bytes) -> httpx.Response:
        return self.http.post("/predict", files={"file": ("cat.jpg", image, "image/jpeg")})

    def predict_many(
        self, count: int, *, seconds: float = 0, hold_last_until: threading.Event | None = None
    ) -> list[int]:
        """Send count photos at concurrency 16, spread evenly over at least the given seconds.

        With hold_last_until, the last fifth of them waits for that event: what a test does before it sets it happens
        in the middle of the load, however slow the machine is.
        Returns: the status code of each answer.
        """
        start = time.monotonic()

        def send(index: int) -> int:
            if hold_last_until and index >= 0.8 * count:
                hold_last_until.wait(HOLD_SECONDS)
            time.sleep(max(0.0, start + seconds * index / count - time.monotonic()))
            return self.predict(photo(seed=index % 20)).status_code

        with ThreadPoolExecutor(CONCURRENCY) as pool:
            return list(pool.map(send, range(count)))

    @contextmanager
    def predicting(self, count: int, *, seconds: float) -> Iterator[Future[list[int]]]:
        """Send as predict_many() does while the block runs; the last fifth after it. Yields: the statuses to come."""
        block_done = threading.Event()
        with ThreadPoolExecutor(1) as background:
            try:
                yield background.submit(self.predict_many, count, seconds=seconds, hold_last_until=block_done)
            finally:
                block_done.set()

    def report(self) -> dict[str, Any]:
        response = self.http.get("/api/monitor/report", params={"window": "1h"})
        response.raise_for_status()
        return dict(response.json())

    def total(self) -> int:
        """Predictions counted by the report; -1 while the monitor is away."""
        try:
            return int(self.report()["predictions"]["total"])
        except (httpx.TransportError, httpx.HTTPStatusError):
            return -1

    def wait_for_at_least(self, total: int) -> None:
        wait_until(lambda: self.total() >= total, f"the report counts {total} predictions")

    def wait_for_total(self, total: int) -> None:
        """Return when the report counts at least total, and nothing is on its way any more."""
        self.wait_for_at_least(total)
        wait_until(
            lambda: (pipeline := self.report()["pipeline"])["lag"] == 0 and pipeline["pending"] == 0,
            "the stream is read to its end",
        )
