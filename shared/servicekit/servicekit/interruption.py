"""Stop working when there is nobody left to work for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from starlette.types import Receive, Scope

from servicekit.http_exchange import exchange_of

Ending = Callable[[], Awaitable[object]]


class Interrupted(Exception):
    """The block was cut short by one of its endings."""


class _Interruptible:
    """A block that can be cut short while it awaits something: what it awaits is cancelled.

    As asyncio's own timeouts end, which would cost more: others may have cancelled the task as well.
    """

    _block: asyncio.Task[Any] | None = None
    """Runs the block; None before and after."""
    _cancelled_before = 0
    _is_interrupted = False

    def _enter(self, block: asyncio.Task[Any] | None) -> None:
        assert block is not None  # noqa: S101 - a coroutine is awaited by a task
        self._block = block
        self._cancelled_before = block.cancelling()

    def _exit(self, kind: type[BaseException] | None) -> None:
        block, self._block = self._block, None
        if self._is_interrupted and block is not None:
            is_ours = block.uncancel() <= self._cancelled_before
            if is_ours and kind is asyncio.CancelledError:
                raise self._error() from None

    def _error(self) -> Exception:
        """What is raised where the block was cut short."""
        return Interrupted()

    def _interrupt(self) -> None:
        """Cancel what the block awaits; only while it awaits something."""
        if self._block is not None and not self._is_interrupted:
            self._is_interrupted = True
            self._block.cancel()


class interrupted_by(_Interruptible):  # noqa: N801 - read as a statement
    """Run the block until it ends by itself or one of the endings returns.

    Raises: Interrupted in the second case; what the block awaited is cancelled first.
    """

    def __init__(self, *endings: Ending) -> None:
        self._endings = endings
        self._watchers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> None:
        self._enter(asyncio.current_task())
        self._watchers = [asyncio.get_running_loop().create_task(self._watch(ending)) for ending in self._endings]

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        self._exit(kind)

    async def _watch(self, ending: Ending) -> None:
        await ending()
        self._interrupt()


class interrupted_at(_Interruptible):  # noqa: N801 - read as a statement
    """Run the block until it ends by itself or until this moment of the event loop's clock, at half a timeout's price.

    Raises: Interrupted in the second case.
    """

    def __init__(self, moment: float) -> None:
        self._moment = moment

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._enter(asyncio.current_task(loop))
        self._timer = loop.call_at(self._moment, self._interrupt)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._exit(kind)


class while_client_waits(_Interruptible):  # noqa: N801 - read as a statement
    """Run the block while the client is there, where the server tells when it leaves.

    Only for requests whose body has been read. Raises: Interrupted.
    """

    def __init__(self, scope: Scope) -> None:
        self._exchange = exchange_of(scope)

    def __enter__(self) -> None:
        if self._exchange is not None:
            self._enter(self._exchange.task)
            self._exchange.watch_loss(self._interrupt)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._exchange is not None:
            self._exchange.stop_watching(self._interrupt)
            self._exit(kind)


def client_left(receive: Receive) -> Ending:
    """An ending: the client closed its connection. Only for requests whose body has been read."""

    async def leaves() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return leaves
