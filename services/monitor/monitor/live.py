"""Reports as server-sent events: on change, at most one a second, computed once for all who look at the same one.

Every event is the whole report, and its id is a digest of what it says: a listener that comes back with the id it saw
last is told nothing until there is something new, whichever replica it comes back to.

Source: HTML Living Standard, section 9.2 (server-sent events).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from servicekit.http_exchange import abort
from servicekit.problems import Problem
from starlette.types import Receive, Scope, Send

from monitor.redis_connection import RedisAway
from monitor.report import Report
from monitor.windows import Window

_log = structlog.get_logger("live")

INTERVAL_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
QUEUE_LENGTH = 8
"""Reports that may wait for a listener; at one a second, it has had that many seconds to take the first."""
HEARTBEAT = b": heartbeat\n\n"

_VOLATILE = (("window", "end"), ("predictions", "per_second"), ("pipeline", "last_event_age_seconds"))
"""What changes while nothing happens, and is therefore no change."""


class TooManyListeners(Problem):
    """This replica has no room for another event stream."""

    status = 503


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    content: bytes


def message_of(report: Report) -> Message:
    """The event that carries a report."""
    stable = {name: dict(part) if isinstance(part, dict) else part for name, part in report.items()}
    for part, name in _VOLATILE:
        del stable[part][name]
    digest = hashlib.blake2b(json.dumps(stable).encode(), digest_size=12).hexdigest()
    return Message(digest, f"id: {digest}\nevent: report\ndata: {json.dumps(report, allow_nan=False)}\n\n".encode())


class Listener:
    """One open event stream: what waits to be sent to it, and whether it was too slow."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue(QUEUE_LENGTH)
        self.too_slow = asyncio.Event()

    def offer(self, message: Message) -> None:
        try:
            self.messages.put_nowait(message)
        except asyncio.QueueFull:
            self.too_slow.set()


@dataclass(slots=True, eq=False)
class _Topic:
    window: Window
    model: str | None
    listeners: set[Listener] = field(default_factory=set)
    latest: Message | None = None
    publisher: asyncio.Task[None] | None = None


class LiveReports:
    """The listeners of one replica, grouped by what they look at."""

    def __init__(
        self,
        build: Callable[[Window, str | None], Awaitable[Report]],
        *,
        max_listeners: int,
        registry: CollectorRegistry,
    ) -> None:
        self._build = build
        self._max_listeners = max_listeners
        self._topics: dict[tuple[str, str | None], _Topic] = {}
        self._open = Gauge("catnet_event_streams", "Open event streams of this replica.", registry=registry)
        self._dropped = Counter(
            "catnet_event_streams_dropped", "Event streams ended because the client was too slow.", registry=registry
        )
        self._count = 0

    @asynccontextmanager
    async def listen(self, window: Window, model: str | None, last_id: str = "") -> AsyncIterator[Listener]:
        """A listener to the reports of a model over a window; the latest report waits for it already, if it is new.

        Raises: TooManyListeners.
        """
        if self._count >= self._max_listeners:
            raise TooManyListeners("too many event streams are open", headers={"Retry-After": "5"})
        topic = self._topics.setdefault((window.name, model), _Topic(window, model))
        listener = Listener()
        if topic.latest and topic.latest.id != last_id:
            listener.offer(topic.latest)
        topic.listeners.add(listener)
        if topic.publisher is None:
            topic.publisher = asyncio.create_task(self._publish(topic))
        self._count += 1
        self._open.set(self._count)
        try:
            yield listener
        finally:
            self._count -= 1
            self._open.set(self._count)
            if listener.too_slow.is_set():
                self._dropped.inc()
            topic.listeners.discard(listener)
            if not topic.listeners and self._topics.get((window.name, model)) is topic:
                del self._topics[window.name, model]
                topic.publisher.cancel()

    async def _publish(self, topic: _Topic) -> None:
        while topic.listeners:  # a cancellation may be lost while redis-py connects
            started = time.monotonic()
            try:
                message = message_of(await self._build(topic.window, topic.model))
            except RedisAway:
                pass  # listeners keep what they have, and get heartbeats
            except Exception:
                _log.exception("no report for the event streams", window=topic.window.name)
            else:
                if topic.latest is None or message.id != topic.latest.id:
                    topic.latest = message
                    for listener in topic.listeners:
                        listener.offer(message)
            await asyncio.sleep(max(INTERVAL_SECONDS - (time.monotonic() - started), 0.05))


class EventStream:
    """The answer to one listener: an ASGI application that ends when the client leaves or is slow, or on a drain."""

    def __init__(self, live: LiveReports, draining: asyncio.Event, window: Window, model: str | None) -> None:
        self._live = live
        self._draining = draining
        self._window = window
        self._model = model

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        last_id = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"last-event-id"), "")
        async with self._live.listen(self._window, self._model, last_id) as listener:
            sending = asyncio.create_task(_send_messages(listener, last_id, send))
            endings = [asyncio.create_task(e) for e in (_disconnect(receive), _wait(self._draining))]
            endings.append(asyncio.create_task(_wait(listener.too_slow)))
            tasks = [sending, *endings]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            if listener.too_slow.is_set():
                abort(scope)
            elif self._draining.is_set():
                await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_messages(listener: Listener, last_id: str, send: Send) -> None:
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await _send(send, b"retry: 2000\n\n")
    heartbeat_at = time.monotonic() + HEARTBEAT_SECONDS
    while True:
        try:
            async with asyncio.timeout(max(heartbeat_at - time.monotonic(), 0)):
                message = await listener.messages.get()
        except TimeoutError:
            heartbeat_at += HEARTBEAT_SECONDS
            await _send(send, HEARTBEAT)
        else:
            if message.id != last_id:
                last_id = message.id
                await _send(send, message.content)


async def _send(send: Send, content: bytes) -> None:
    await send({"type": "http.response.body", "body": content, "more_body": True})


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _wait(event: asyncio.Event) -> Any:
    await event.wait()
