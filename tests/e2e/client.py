"""What the end-to-end tests say to the gateway."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import httpx

from tests.pictures import photo
from tests.processes import wait_until

CONCURRENCY = 16


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

    def predict_many(self, count: int, *, seconds: float = 0) -> list[int]:
        """Send count photos at concurrency 16, spread evenly over at least the given seconds.

        Returns: the status code of each answer.
        """
        start = time.monotonic()

        def send(index: int) -> int:
            time.sleep(max(0.0, start + seconds * index / count - time.monotonic()))
            return self.predict(photo(seed=index % 20)).status_code

        with ThreadPoolExecutor(CONCURRENCY) as pool:
            return list(pool.map(send, range(count)))

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
