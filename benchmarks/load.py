"""The load generator: a fixed number of connections, each asking again as soon as it is answered (closed loop)."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import aiohttp
import numpy as np

REQUEST_TIMEOUT_SECONDS = 30.0
BOUNDARY = "catnet-benchmark-boundary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """Units: latencies in seconds, one a request answered with 200; ``failures`` counts every other outcome."""

    concurrency: int
    seconds: float
    latencies: np.ndarray
    failures: dict[str, int]

    @property
    def requests_per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile_ms(self, percentile: float) -> float:
        return float(np.percentile(self.latencies, percentile)) * 1000 if len(self.latencies) else float("nan")


async def run_load(
    url: str, photo: bytes, *, concurrency: int, requests: int, warm_up: int = 0, as_form: bool = True
) -> LoadResult:
    """Post a photo to ``url``, as a browser's form or bare, ``requests`` times after ``warm_up`` uncounted ones."""
    connector = aiohttp.TCPConnector(limit=concurrency, limit_per_host=concurrency)
    timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        body, media_type = (form(photo), FORM) if as_form else (photo, "application/octet-stream")
        await _ask(session, url, body, media_type, concurrency, warm_up)
        started = time.perf_counter()
        latencies, failures = await _ask(session, url, body, media_type, concurrency, requests)
        return LoadResult(concurrency, time.perf_counter() - started, np.array(latencies), failures)


async def _ask(
    session: aiohttp.ClientSession, url: str, body: bytes, media_type: str, concurrency: int, requests: int
) -> tuple[list[float], dict[str, int]]:
    latencies: list[float] = []
    failures: dict[str, int] = {}
    remaining = iter(range(requests))
    headers = {"Content-Type": media_type}

    async def connection() -> None:
        for _ in remaining:
            started = time.perf_counter()
            try:
                async with session.post(url, data=body, headers=headers) as answer:
                    await answer.read()
                    outcome = "" if answer.status == 200 else str(answer.status)
            except (aiohttp.ClientError, TimeoutError) as error:
                outcome = type(error).__name__
            if outcome:
                failures[outcome] = failures.get(outcome, 0) + 1
            else:
                latencies.append(time.perf_counter() - started)

    await asyncio.gather(*(connection() for _ in range(concurrency)))
    return latencies, failures


def form(photo: bytes) -> bytes:
    """The multipart body, made once: building it is not what is measured."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="photo"\r\n\r\n'
    return head.encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()
