"""Listeners are told what is new, at most once a second, computed once for all; slow ones are let go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from monitor import live as live_module
from monitor.live import QUEUE_LENGTH, EventStream, LiveReports, TooManyListeners, message_of
from monitor.redis_connection import RedisAway
from monitor.windows import WINDOWS, Window
from prometheus_client import CollectorRegistry

pytestmark = pytest.mark.anyio

WINDOW = WINDOWS["1h"]


def report(total: int = 0, **volatile: float) -> dict[str, Any]:
    return {
        "window": {"name": "1h", "end": volatile.get("end", 0)},
        "predictions": {"total": total, "per_second": volatile.get("per_second", 0)},
        "pipeline": {"last_event_age_seconds": volatile.get("age", 0)},
        "recent": [{"prediction_id": "a\nb"}],
    }


class Reports:
    """Counts how often it is asked, and fails when told to."""

    def __init__(self) -> None:
        self.total = 0
        self.asked = 0
        self.error: Exception | None = None
        self.grows = False

    async def build(self, window: Window, model: str | None) -> dict[str, Any]:
        self.asked += 1
        self.total += self.grows
        if self.error:
            raise self.error
        return report(self.total)


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def live(reports: Reports, monkeypatch: pytest.MonkeyPatch) -> LiveReports:
    monkeypatch.setattr(live_module, "INTERVAL_SECONDS", 0.01)
    return LiveReports(reports.build, max_listeners=100, registry=CollectorRegistry())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a count has no event to wait for
            await asyncio.sleep(0.005)


def test_an_event_has_an_id_a_name_and_one_line_of_data() -> None:
    message = message_of(report(7))
    lines = message.content.decode().split("\n")
    assert lines[0] == f"id: {message.id}"
    assert lines[1] == "event: report"
    assert json.loads(lines[2].removeprefix("data: ")) == report(7)
    assert lines[3:] == ["", ""]


def test_the_passing_of_time_alone_is_no_news() -> None:
    assert message_of(report(1)).id == message_of(report(1, end=5, per_second=6, age=7)).id
    assert message_of(report(1)).id != message_of(report(2)).id


async def test_a_listener_is_told_at_once_and_then_on_change_only(live: LiveReports, reports: Reports) -> None:
    async with asyncio.timeout(5), live.listen(WINDOW, None) as listener:
        assert b'"total": 0' in (await listener.messages.get()).content
        asked = reports.asked
        await until(lambda: reports.asked > asked + 3)
        assert listener.messages.empty()
        reports.total = 1
        assert b'"total": 1' in (await listener.messages.get()).content


async def test_listeners_of_the_same_report_share_one_computation(live: LiveReports, reports: Reports) -> None:
    async with live.listen(WINDOW, None) as one, live.listen(WINDOW, None) as other:
        assert (await one.messages.get()) is (await other.messages.get())
        assert reports.asked == 1


async def test_nobody_listening_is_nothing_computed(live: LiveReports, reports: Reports) -> None:
    async with live.listen(WINDOW, None) as listener:
        await listener.messages.get()
    asked = reports.asked
    await asyncio.sleep(0.1)
    assert reports.asked == asked


async def test_a_listener_that_comes_back_is_not_told_what_it_knows(live: LiveReports) -> None:
    async with live.listen(WINDOW, None) as first:
        latest = await first.messages.get()
        async with live.listen(WINDOW, None, latest.id) as again:
            assert again.messages.empty()
        async with live.listen(WINDOW, None, "older") as again:
            assert again.messages.get_nowait() is latest


@pytest.mark.parametrize("error", [RedisAway("away"), ValueError("a defect")])
async def test_a_report_that_fails_ends_no_stream(live: LiveReports, reports: Reports, error: Exception) -> None:
    async with asyncio.timeout(5), live.listen(WINDOW, None) as listener:
        await listener.messages.get()
        reports.error = error
        asked = reports.asked
        await until(lambda: reports.asked > asked + 2)
        reports.error, reports.total = None, 5
        assert b'"total": 5' in (await listener.messages.get()).content


async def test_a_listener_too_many_is_refused(reports: Reports) -> None:
    live = LiveReports(reports.build, max_listeners=1, registry=CollectorRegistry())
    async with live.listen(WINDOW, None):
        with pytest.raises(TooManyListeners):
            async with live.listen(WINDOW, None):
                pass
    async with live.listen(WINDOW, None):
        pass


class Client:
    """An ASGI client that can be slow, leave, and remember what it was sent."""

    def __init__(self, *, is_stuck: bool = False, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        self.sent: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        self.scope = {"type": "http", "method": "GET", "path": "/stream", "headers": headers or []}
        self._is_stuck = is_stuck

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if self._is_stuck and message["type"] == "http.response.body":
            await asyncio.Event().wait()
        self.sent.append(message)

    async def listen(self, live: LiveReports, draining: asyncio.Event) -> None:
        async with asyncio.timeout(5):
            await EventStream(live, draining, WINDOW, None)(self.scope, self.receive, self.send)


async def test_a_client_gets_the_report_and_heartbeats_until_it_leaves(
    live: LiveReports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "HEARTBEAT_SECONDS", 0.02)
    client = Client()
    listening = asyncio.create_task(client.listen(live, asyncio.Event()))
    await until(lambda: client.text.count(": heartbeat\n\n") >= 3)
    client.left.set()
    await listening
    headers = dict(client.sent[0]["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert headers[b"cache-control"] == b"no-store"
    assert client.text.count("event: report\n") == 1


async def test_a_drain_ends_the_stream_in_order(live: LiveReports) -> None:
    client, draining = Client(), asyncio.Event()
    listening = asyncio.create_task(client.listen(live, draining))
    await until(lambda: "event: report" in client.text)
    draining.set()
    await listening
    assert client.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_a_client_that_takes_nothing_is_dropped_and_delays_nobody(live: LiveReports, reports: Reports) -> None:
    reports.grows = True
    stuck, quick = Client(is_stuck=True), Client()
    draining = asyncio.Event()
    listening = [asyncio.create_task(client.listen(live, draining)) for client in (stuck, quick)]
    await listening[0]
    await until(lambda: quick.text.count("event: report") > QUEUE_LENGTH + 5)
    quick.left.set()
    await listening[1]


async def test_a_client_that_names_the_report_it_has_is_sent_none(live: LiveReports) -> None:
    known = message_of(report(0)).id
    client = Client(headers=[(b"last-event-id", known.encode())])
    listening = asyncio.create_task(client.listen(live, asyncio.Event()))
    await until(lambda: "retry:" in client.text)
    await asyncio.sleep(0.1)
    client.left.set()
    await listening
    assert "event: report" not in client.text
