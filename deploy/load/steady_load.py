"""A steady load for a running catnet: drawn pictures at a chosen rate, until Ctrl-C or for a given time.

    python deploy/load/steady_load.py --url http://127.0.0.1:8080 --rate 20 --seconds 60

Needs nothing but Python. Requests leave at their time whether or not earlier ones are answered (open loop), as people's
do, up to the number of connections. Exit status 1 when any request was answered otherwise than 200.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import random
import signal
import struct
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

PICTURES = 10
REPORT_SECONDS = 10.0
TIMEOUT_SECONDS = 15.0


def picture(seed: int, width: int = 96, height: int = 72) -> bytes:
    """A PNG: two colours that run into each other, with some noise."""
    rng = random.Random(seed)  # noqa: S311 - colours, not secrets
    first, second = ([rng.randrange(256) for _ in range(3)] for _ in range(2))
    rows = bytearray()
    for y in range(height):
        rows.append(0)  # no filter
        for x in range(width):
            share = (x + y) / (width + height)
            noise = rng.randrange(-12, 13)
            rows += bytes(
                min(255, max(0, round(a + (b - a) * share) + noise)) for a, b in zip(first, second, strict=True)
            )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


class SteadyLoad:
    """Sends one picture after the other at ``rate`` a second over ``connections`` kept-alive connections."""

    def __init__(self, url: str, *, rate: float, connections: int) -> None:
        self._address = urlsplit(url)
        self._rate = rate
        self._connections = connections
        self._pictures = [picture(seed) for seed in range(PICTURES)]
        self._numbers: Iterator[int] = itertools.count()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._started = time.monotonic()
        self.outcomes: Counter[str] = Counter()

    def stop(self) -> None:
        self._stop.set()

    def run(self, seconds: float | None = None) -> None:
        """Send until stop(), or for so many seconds; say every ten what came of it."""
        self._started = time.monotonic()
        senders = [threading.Thread(target=self._send_all) for _ in range(self._connections)]
        for sender in senders:
            sender.start()
        deadline = None if seconds is None else self._started + seconds
        while not self._stop.is_set() and (deadline is None or time.monotonic() < deadline):
            left = REPORT_SECONDS if deadline is None else max(0.0, deadline - time.monotonic())
            self._stop.wait(min(REPORT_SECONDS, left))
            print(self.summary(), flush=True)
        self._stop.set()
        for sender in senders:
            sender.join()

    def summary(self) -> str:
        with self._lock:
            outcomes = ", ".join(f"{count} x {outcome}" for outcome, count in sorted(self.outcomes.items()))
        return f"{time.monotonic() - self._started:.0f} s: {outcomes or 'nothing answered yet'}"

    def _send_all(self) -> None:
        connection = http.client.HTTPConnection(
            self._address.hostname or "", self._address.port, timeout=TIMEOUT_SECONDS
        )
        while True:
            with self._lock:
                number = next(self._numbers)
            if self._stop.wait(max(0.0, self._started + number / self._rate - time.monotonic())):
                return
            outcome = self._send(connection, self._pictures[number % PICTURES])
            with self._lock:
                self.outcomes[outcome] += 1

    @staticmethod
    def _send(connection: http.client.HTTPConnection, body: bytes) -> str:
        try:
            connection.request("POST", "/predict", body, {"Content-Type": "image/png"})
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()  # the next request opens it again
            return type(error).__name__
        return str(response.status)


def main() -> int:
    parser = argparse.ArgumentParser(description="Send drawn pictures to a running catnet at a steady rate.")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the gateway (http only)")
    parser.add_argument("--rate", type=float, default=20.0, help="pictures a second")
    parser.add_argument("--connections", type=int, default=16, help="most requests at once")
    parser.add_argument("--seconds", type=float, help="how long; without it, until stopped")
    words = parser.parse_args()
    if words.rate <= 0 or words.connections < 1 or urlsplit(words.url).scheme != "http":
        parser.error("--rate and --connections must be above 0, and --url begin with http://")
    load = SteadyLoad(words.url, rate=words.rate, connections=words.connections)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: load.stop())
    load.run(words.seconds)
    print(load.summary())
    return 0 if set(load.outcomes) <= {"200"} else 1


if __name__ == "__main__":
    sys.exit(main())
