"""Five hundred listeners on one replica, slow ones let go without a trace, and streams that are taken up again."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import aiohttp
import psutil
import pytest
import redis
from preflight import free_port
from redis_server import RedisServer

from tests.integration.monitoring import events, publish, settled, until
from tests.processes import ServiceProcess

pytestmark = pytest.mark.anyio

LISTENERS = 500
SLOW = 20
PATH = "/stream?window=7d&model=catnet-mlp/1"
MAX_GROWTH_BYTES = 40_000_000
"""Less than what the slow ones alone were sent."""
HASTY_MONITOR = "import monitor.live, monitor.__main__ as program; monitor.live.INTERVAL_SECONDS = 0.05; program.main()"
"""With twenty reports a second, the buffers of the kernel are full in seconds rather than minutes."""


@pytest.fixture
def monitor(redis_server: RedisServer, tmp_path: Path) -> Iterator[ServiceProcess]:
    log, environment = tmp_path / "monitor.log", {"REDIS_URL": redis_server.url}
    monitor = ServiceProcess("monitor", free_port(), environment, log, program=["-c", HASTY_MONITOR])
    monitor.start()
    try:
        monitor.wait_ready()
        yield monitor
    finally:
        monitor.stop()


@pytest.fixture
async def http(monitor: ServiceProcess) -> AsyncIterator[aiohttp.ClientSession]:
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(monitor.url, connector=connector, timeout=timeout) as session:
        yield session


async def metric(http: aiohttp.ClientSession, name: str) -> float:
    async with http.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(name + " "))


async def next_report(answer: aiohttp.ClientResponse) -> tuple[str, int]:
    """Id of the next report, and the predictions it counts."""
    last_id = ""
    async for line in answer.content:
        if line.startswith(b"id: "):
            last_id = line[4:].decode().strip()
        if line.startswith(b"data: "):
            return last_id, int(json.loads(line[6:])["predictions"]["total"])
    raise AssertionError("the stream ended")


async def test_five_hundred_listeners_are_told_within_seconds(http: aiohttp.ClientSession, client: redis.Redis) -> None:
    first: asyncio.Queue[int] = asyncio.Queue()

    async def listen() -> None:
        async with http.get(PATH) as answer:
            first.put_nowait((await next_report(answer))[1])
            while (await next_report(answer))[1] != 25:
                pass

    async with asyncio.timeout(60):
        listening = [asyncio.create_task(listen()) for _ in range(LISTENERS)]
        for _ in range(LISTENERS):
            await first.get()
        assert await metric(http, "catnet_event_streams") == LISTENERS
        publish(client, events(25))
        await asyncio.gather(*listening)
    async with asyncio.timeout(10):
        while await metric(http, "catnet_event_streams"):  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(0.05)
    assert await metric(http, "catnet_event_streams_dropped_total") == 0


async def test_a_stream_is_taken_up_again_where_it_was_left(http: aiohttp.ClientSession, client: redis.Redis) -> None:
    publish(client, events(5, seed=1))
    await until(lambda: settled(client) == 5)
    async with http.get(PATH) as answer:
        known, total = await next_report(answer)
        assert total == 5
    async with http.get(PATH, headers={"Last-Event-ID": known}) as answer:
        publish(client, events(3, seed=2))
        while total != 8:
            news, total = await next_report(answer)
            assert news != known


async def test_clients_that_take_nothing_are_let_go_in_silence(
    http: aiohttp.ClientSession, client: redis.Redis, monitor: ServiceProcess
) -> None:
    address = ("127.0.0.1", int(monitor.url.rpartition(":")[2]))
    process = psutil.Process(monitor.pid)
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.socket()) for _ in range(SLOW)]
        for connection in slow:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(address)
            connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: monitor\r\n\r\n".encode())
        before = process.memory_info().rss
        number = 0
        async with http.get(PATH) as quick, asyncio.timeout(180):
            while await metric(http, "catnet_event_streams_dropped_total") < SLOW:
                number += 1
                publish(client, events(50, seed=number))
                await next_report(quick)
            assert await metric(http, "catnet_event_streams") == 1
        assert process.memory_info().rss - before < MAX_GROWTH_BYTES
        for connection in slow:
            connection.settimeout(5)
            with suppress(ConnectionResetError):  # it ends, and does not time out
                while connection.recv(65_536):
                    pass
    log = await asyncio.to_thread(monitor.log.read_text)
    assert "without completing" not in log
    assert "Traceback" not in log
