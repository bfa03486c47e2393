"""Stop working when there is nobody left to work for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.types import Receive


class Interrupted(Exception):
    """The block was cut short by one of its endings."""


@asynccontextmanager
async def interrupted_by(*endings: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Run the block until it ends by itself or one of the endings returns.

    Raises: Interrupted in the second case; what the block awaited is cancelled first.
    """
    loop = asyncio.get_running_loop()

    async def watch(ending: Callable[[], Awaitable[object]]) -> None:
        await ending()
        scope.reschedule(loop.time())  # a timeout that is due now is asyncio's safe way to cancel a block

    try:
        async with asyncio.timeout(None) as scope:
            watchers = [loop.create_task(watch(ending)) for ending in endings]
            try:
                yield
            finally:
                for watcher in watchers:
                    watcher.cancel()
    except TimeoutError:
        if scope.expired():
            raise Interrupted from None
        raise


def client_left(receive: Receive) -> Callable[[], Awaitable[None]]:
    """An ending: the client closed its connection. Only for requests whose body has been read."""

    async def leaves() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return leaves
