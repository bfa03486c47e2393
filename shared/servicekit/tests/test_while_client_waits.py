"""Work stops when the client's connection is lost, and the watch over it leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvicorn
from servicekit.http_exchange import exchange_of
from servicekit.http_protocol import HttpProtocol
from servicekit.interruption import Interrupted, while_client_waits
from starlette.types import Receive, Scope, Send

pytestmark = pytest.mark.anyio


class Endpoint:
    """Does in its block what a test tells it."""

    def __init__(self) -> None:
        self.before: Callable[[], Awaitable[object]] = _at_once
        self.work: Callable[[], Awaitable[object]] = _at_once
        self.outcomes: asyncio.Queue[str] = asyncio.Queue()
        self.begun = asyncio.Event()
        self.is_left = asyncio.Event()
        self.watch: weakref.ref[while_client_waits] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        exchange = exchange_of(scope)
        assert exchange is not None
        exchange.watch_loss(self.is_left.set)
        self.begun.set()
        await self.before()
        watching = while_client_waits(scope)
        self.watch = weakref.ref(watching)
        try:
            with watching:
                await self.work()
        except Interrupted:
            self.outcomes.put_nowait("interrupted")
        else:
            self.outcomes.put_nowait("done")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})


async def _at_once() -> None:
    pass


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
async def client(endpoint: Endpoint) -> AsyncIterator[asyncio.StreamWriter]:
    started = asyncio.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
            await super().startup(sockets)  # type: ignore[arg-type]
            started.set()

    config = uvicorn.Config(endpoint, port=0, http=HttpProtocol, ws="none", lifespan="off", log_config=None)
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    await asyncio.wait_for(started.wait(), 10)
    _, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
    yield writer
    writer.close()
    server.should_exit = server.force_exit = True
    await serving


def ask(client: asyncio.StreamWriter) -> None:
    client.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")


async def outcome(endpoint: Endpoint) -> str:
    return await asyncio.wait_for(endpoint.outcomes.get(), 5)


async def test_a_client_that_stays_gets_its_work_done(endpoint: Endpoint, client: asyncio.StreamWriter) -> None:
    ask(client)
    assert await outcome(endpoint) == "done"


async def test_work_for_a_client_that_leaves_is_cut_short(endpoint: Endpoint, client: asyncio.StreamWriter) -> None:
    endpoint.work = asyncio.Event().wait
    ask(client)
    await asyncio.wait_for(endpoint.begun.wait(), 5)
    client.close()
    assert await outcome(endpoint) == "interrupted"


async def test_a_client_that_ends_its_side_has_left(endpoint: Endpoint, client: asyncio.StreamWriter) -> None:
    endpoint.work = asyncio.Event().wait
    ask(client)
    await asyncio.wait_for(endpoint.begun.wait(), 5)
    client.write_eof()
    assert await outcome(endpoint) == "interrupted"


async def test_work_for_a_client_that_left_before_it_began_is_cut_short(
    endpoint: Endpoint, client: asyncio.StreamWriter
) -> None:
    go_on = asyncio.Event()
    endpoint.before = go_on.wait
    endpoint.work = asyncio.Event().wait
    ask(client)
    await asyncio.wait_for(endpoint.begun.wait(), 5)
    client.close()
    await client.wait_closed()
    await asyncio.wait_for(endpoint.is_left.wait(), 5)
    go_on.set()
    assert await outcome(endpoint) == "interrupted"


async def test_work_that_awaits_nothing_is_done_though_the_client_has_left(
    endpoint: Endpoint, client: asyncio.StreamWriter
) -> None:
    go_on = asyncio.Event()
    endpoint.before = go_on.wait
    ask(client)
    await asyncio.wait_for(endpoint.begun.wait(), 5)
    client.close()
    await client.wait_closed()
    go_on.set()
    assert await outcome(endpoint) == "done"


async def test_a_watch_that_is_over_needs_no_garbage_collector(
    endpoint: Endpoint, client: asyncio.StreamWriter
) -> None:
    gc.disable()
    ask(client)
    try:
        assert await outcome(endpoint) == "done"
        for _ in range(10):
            await asyncio.sleep(0)  # for the request's task to end
        assert endpoint.watch is not None
        assert endpoint.watch() is None
    finally:
        gc.enable()
