"""Work on the event loop itself, for what takes less time than the way to a thread and back."""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """One taker for each turn of the event loop, so that what others wait for is read and written between two."""

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Return at once if this turn is free, or else when one is, in order of arrival."""
        loop = asyncio.get_running_loop()
        if self._is_taken:
            turn: asyncio.Future[None] = loop.create_future()
            self._waiting.append(turn)
            await turn
        else:
            self._is_taken = True
            loop.call_soon(self._give_next, loop)

    def _give_next(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.cancelled():
                turn.set_result(None)
                loop.call_soon(self._give_next, loop)
                return
        self._is_taken = False
