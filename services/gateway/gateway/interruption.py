"""Stop working when there is nobody left to work for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from servicekit.abortable import tells_of_loss, told_of_loss
from starlette.types import Receive, Scope


class Interrupted(Exception):
    """The block was cut short by one of its endings."""


@asynccontextmanager
async def interruptible() -> AsyncIterator[Callable[[], None]]:
    """Run the block until it ends by itself or what it is given is called.

    Raises: Interrupted in the second case; what the block awaited is cancelled first.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as scope:
            # a timeout that is due now is asyncio's safe way to cancel a block
            yield lambda: scope.reschedule(loop.time())
    except TimeoutError:
        if scope.expired():
            raise Interrupted from None
        raise


@asynccontextmanager
async def interrupted_by(*endings: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Run the block until it ends by itself or one of the endings returns. Raises: Interrupted in the second case."""
    async with interruptible() as interrupt:

        async def watch(ending: Callable[[], Awaitable[object]]) -> None:
            await ending()
            interrupt()

        watchers = [asyncio.get_running_loop().create_task(watch(ending)) for ending in endings]
        try:
            yield
        finally:
            for watcher in watchers:
                watcher.cancel()


@asynccontextmanager
async def while_client_waits(scope: Scope, receive: Receive) -> AsyncIterator[None]:
    """Run the block while the client is there. Only for requests whose body has been read. Raises: Interrupted."""
    if tells_of_loss(scope):
        async with interruptible() as interrupt:
            with told_of_loss(scope, interrupt):
                yield
    else:
        async with interrupted_by(client_left(receive)):
            yield


def client_left(receive: Receive) -> Callable[[], Awaitable[None]]:
    """An ending: the client closed its connection. Only for requests whose body has been read."""

    async def leaves() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return leaves
