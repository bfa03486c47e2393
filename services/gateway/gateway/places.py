"""A bounded number of places, each held by one at a time; who finds none free waits for the next, in order of arrival.

A semaphore that tells how many wait for it, and costs next to nothing while nobody does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress


class Places:
    def __init__(self, number: int) -> None:
        self.number = number
        self.taken = 0
        self._turns: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        return len(self._turns)

    async def take(self) -> None:
        """A place that is free, or the next one that is given back once all who came before have theirs."""
        if self.taken < self.number:
            self.taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):
                    self._turns.remove(turn)
            else:
                self.give_back()  # it was given at the same moment
            raise

    def give_back(self) -> None:
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.taken -= 1
