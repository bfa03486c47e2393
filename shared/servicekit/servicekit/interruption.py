"""Stop working when there is nobody left to work for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType

from starlette.types import Receive, Scope

from servicekit.abortable import watch_loss

Ending = Callable[[], Awaitable[object]]


class Interrupted(Exception):
    """The block was cut short by one of its endings."""


class interrupted_by:  # noqa: N801 - read as a statement
    """Run the block until it ends by itself or one of the endings returns.

    Raises: Interrupted in the second case; what the block awaited is cancelled first.
    """

    def __init__(self, *endings: Ending) -> None:
        self._endings = endings
        self._watchers: list[asyncio.Task[None]] = []
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        self._watchers = [asyncio.get_running_loop().create_task(self._watch(ending)) for ending in self._endings]

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise Interrupted from None

    def _interrupt(self) -> None:
        """A timeout that is due now is asyncio's safe way to cancel a block."""
        self._timeout.reschedule(asyncio.get_running_loop().time())

    async def _watch(self, ending: Ending) -> None:
        await ending()
        self._interrupt()


class while_client_waits(interrupted_by):  # noqa: N801 - read as a statement
    """Run the block while the client is there, without a task beside it where the server tells when it leaves.

    Only for requests whose body has been read. Raises: Interrupted.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__()
        self._scope = scope
        self._receive = receive
        self._end_watch: Callable[[], None] | None = None

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        self._end_watch = watch_loss(self._scope, self._interrupt)
        if self._end_watch is None:
            watching = self._watch(client_left(self._receive))
            self._watchers = [asyncio.get_running_loop().create_task(watching)]

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._end_watch is not None:
            self._end_watch()
        await super().__aexit__(kind, error, traceback)


def client_left(receive: Receive) -> Ending:
    """An ending: the client closed its connection. Only for requests whose body has been read."""

    async def leaves() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return leaves
