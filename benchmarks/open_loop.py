"""A load generator that does not wait for answers: requests leave at a given rate, whatever becomes of earlier ones.

`python -m benchmarks.open_loop HOST PORT TARGET RATE SECONDS` reads the photo from standard input, and writes what it
saw as JSON. It is a process of its own, speaks HTTP on bare sockets and sends one prepared request, so that it costs
little beside what it measures; its own lateness is part of the result.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import cast

import uvloop

from benchmarks.load import BOUNDARY, form

MAX_CONNECTIONS = 1024
ANSWER_SECONDS = 60.0
"""More than any deadline of the services: who has not answered by then hangs."""


@dataclass
class OpenLoopResult:
    """Units: seconds from a request's first byte to the end of its answer, by status.

    ``lateness``: how much later than planned each request left. ``unanswered``: connections lost, or silent to the end.
    """

    seconds: float = 0.0
    latencies: dict[str, list[float]] = field(default_factory=dict)
    lateness: list[float] = field(default_factory=list)
    without_retry_after: int = 0
    unanswered: int = 0
    not_sent: int = 0
    """All connections waited for answers."""

    @property
    def sent(self) -> int:
        return sum(len(latencies) for latencies in self.latencies.values()) + self.unanswered


def send_open_loop(host: str, port: int, target: str, photo: bytes, *, rate: float, seconds: float) -> OpenLoopResult:
    """Run the generator beside this process, until every request is answered."""
    command = [sys.executable, "-m", "benchmarks.open_loop", host, str(port), target, str(rate), str(seconds)]
    done = subprocess.run(command, input=photo, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own interpreter
    return OpenLoopResult(**json.loads(done.stdout))


class _Generator:
    def __init__(self, host: str, port: int, request: bytes) -> None:
        self.result = OpenLoopResult()
        self.request = request
        self.idle: list[_Connection] = []
        self.in_flight = 0
        self._address = (host, port)
        self._open = 0
        self._opening: set[asyncio.Task[None]] = set()

    async def run(self, rate: float, seconds: float) -> OpenLoopResult:
        loop = asyncio.get_running_loop()
        started = loop.time()
        for number in range(int(rate * seconds)):
            planned = started + number / rate
            if (wait := planned - loop.time()) > 0:
                await asyncio.sleep(wait)
            elif number % 16 == 0:
                await asyncio.sleep(0)  # late: answers are read all the same
            self.result.lateness.append(max(0.0, loop.time() - planned))
            self._send_one()
        self.result.seconds = loop.time() - started
        give_up = loop.time() + ANSWER_SECONDS
        while (self.in_flight or self._opening) and loop.time() < give_up:  # noqa: ASYNC110 - the end, nothing is timed
            await asyncio.sleep(0.01)
        self.result.unanswered += self.in_flight
        return self.result

    def lost(self) -> None:
        self._open -= 1

    def _send_one(self) -> None:
        if self.idle:
            self.idle.pop().send()
        elif self._open >= MAX_CONNECTIONS:
            self.result.not_sent += 1
        else:
            self._open += 1
            opening = asyncio.get_running_loop().create_task(self._connect())
            self._opening.add(opening)
            opening.add_done_callback(self._opening.discard)

    async def _connect(self) -> None:
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self), *self._address
            )
        except OSError:
            self._open -= 1
            self.result.unanswered += 1
        else:
            connection.send()


class _Connection(asyncio.Protocol):
    """One request at a time; knows just enough of HTTP to see where an answer ends."""

    def __init__(self, generator: _Generator) -> None:
        self._generator = generator
        self._transport: asyncio.Transport
        self._sent: float | None = None
        self._received = b""

    def send(self) -> None:
        self._generator.in_flight += 1
        self._sent = time.perf_counter()
        self._transport.write(self._generator.request)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or self._sent is None:
            return
        head = head.lower()
        if len(body) < int(head.partition(b"content-length:")[2].partition(b"\r")[0]):
            return
        status = head[9:12].decode()
        result = self._generator.result
        result.latencies.setdefault(status, []).append(time.perf_counter() - self._sent)
        result.without_retry_after += status == "429" and b"\r\nretry-after:" not in head
        self._received, self._sent = b"", None
        self._generator.in_flight -= 1
        self._generator.idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._generator.lost()
        if self._sent is not None:
            self._generator.in_flight -= 1
            self._generator.result.unanswered += 1
        elif self in self._generator.idle:
            self._generator.idle.remove(self)


def main() -> None:
    host, port, target, rate, seconds = sys.argv[1:]
    body = form(sys.stdin.buffer.read())
    head = (
        f"POST {target} HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-length: {len(body)}\r\n"
        f"content-type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    )
    generator = _Generator(host, int(port), head.encode() + body)
    print(json.dumps(asdict(uvloop.run(generator.run(float(rate), float(seconds))))))


if __name__ == "__main__":
    main()
