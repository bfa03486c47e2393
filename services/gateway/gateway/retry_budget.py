"""Retries repair the rare lost connection; when all calls fail they only double the load. So they are rationed."""

from __future__ import annotations

RETRIES_PER_CALL = 0.1
MOST_SAVED = 10.0


class RetryBudget:
    """A token bucket that calls fill and retries empty: one retry for ten calls, ten at once after a quiet time."""

    def __init__(self) -> None:
        self._tokens = MOST_SAVED

    def earn(self) -> None:
        """Note a call."""
        self._tokens += RETRIES_PER_CALL
        if self._tokens > MOST_SAVED:
            self._tokens = MOST_SAVED

    def spend(self) -> bool:
        """Whether a retry may be made; it is taken from the budget."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
