"""Run one service: uvicorn, with an order at the end that loses nothing.

SIGTERM: readiness turns false at once, and each answer closes its connection; after ``drain_seconds`` (longer than a
load balancer's probe interval) the port closes; running requests, and those of clients that have just connected, get
``shutdown_seconds``; then ``lifespan`` closes clients and flushes. uvicorn alone would close the port first, reset who
waits there to be let in, and wait for running requests without end.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from servicekit.health import Health
from servicekit.http_protocol import HttpProtocol
from servicekit.settings import ServiceSettings

KEEP_ALIVE_SECONDS = 75
"""Longer than a load balancer or another service keeps an idle connection: the side that asks should be the one that
closes it, since a request on its way into a closing connection is lost."""

NEW_OBJECTS_TO_SEARCH = 10_000
"""So many more objects than before, and they are searched for cycles of garbage. Requests leave no such cycles, but at
the usual 700 those under way together would be searched over and over."""


_OPEN_MAX = 10_240
"""macOS says "unlimited", and takes no more than this. Source: its setrlimit(2)."""


class DrainingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, health: Health, drain_seconds: float) -> None:
        super().__init__(config)
        self._health = health
        self._drain_seconds = drain_seconds
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_tell_unless_late_address)
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let in who has connected, before the port closes: until the first await, so that nobody comes in between."""
        loop = asyncio.get_running_loop()
        arrivals = [loop.create_task(self._let_in(client)) for client in self._waiting_clients()]
        await super().shutdown(sockets)
        await asyncio.gather(*arrivals)

    def _waiting_clients(self) -> Iterator[socket.socket]:
        """Those that the event loop has not seen yet: it looks once a round."""
        for listener in chain.from_iterable(server.sockets for server in self.servers):
            with socket.socket(fileno=os.dup(listener.fileno())) as door, suppress(OSError):
                door.setblocking(False)
                while True:
                    client, _ = door.accept()
                    client.setblocking(False)
                    yield client

    async def _let_in(self, client: socket.socket) -> None:
        """For one request."""
        protocol = HttpProtocol(self.config, self.server_state, self.lifespan.state)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, client)
        protocol.shutdown()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the drain on the first signal; a second one ends at once."""
        if self._loop is None or self._health.draining.is_set():
            super().handle_exit(sig, frame)
            return
        self._loop.call_soon_threadsafe(self._begin_drain, sig)

    def _begin_drain(self, sig: int) -> None:
        self._health.draining.set()
        asyncio.get_running_loop().call_later(self._drain_seconds, super().handle_exit, sig, None)


def serve(app: FastAPI, settings: ServiceSettings) -> None:
    """Serve until SIGTERM or SIGINT, which end the process with status 0."""
    _allow_all_file_handles()
    _spare_garbage_collector()
    for ending in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises again, at the end, what it ended for: that would be a traceback, or a death by the signal.
        signal.signal(ending, _end)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=HttpProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    DrainingServer(config, app.state.health, settings.drain_seconds).run()


def _tell_unless_late_address(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """uvloop goes on looking up a name after connecting was given up, and would tell that it was not found."""
    is_address = isinstance(context.get("exception"), socket.gaierror)
    if not is_address or isinstance(context.get("future"), asyncio.Task):
        loop.default_exception_handler(context)


def _end(sig: int, frame: FrameType | None) -> None:
    """When all is closed, and without waiting for threads: the event loop would, and those that ask for the addresses
    of names go on for as long as no resolver answers.
    """
    for output in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            output.flush()
    os._exit(0)


def _allow_all_file_handles() -> None:
    """As many as this user may have at the most. Idle clients would use up 1024, the usual limit below that, which is
    for programs that use select(2): then nobody is let in, not even a probe, and no other service can be asked.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    for handles in (most, _OPEN_MAX):
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (handles, most))
            return


def _spare_garbage_collector() -> None:
    """What is loaded by now stays: looking through all of it would stop every request for 50 to 200 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_TO_SEARCH)
