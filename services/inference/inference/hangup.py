"""SIGHUP, the signal by which operators ask a service to read its files again."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def on_hangup(action: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run the action, one at a time, when SIGHUP arrives; several signals during one run mean one more run.

    Signals reach only a main thread: in another (as in tests) this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    hangup = asyncio.Event()

    async def run_actions() -> None:
        while True:
            await hangup.wait()
            hangup.clear()
            await action()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    actions = asyncio.create_task(run_actions(), name="hangup")
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # its default would kill the process while it flushes
        actions.cancel()
        await asyncio.gather(actions, return_exceptions=True)
