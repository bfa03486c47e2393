"""What the monitor and inference say about themselves is passed on; the stream as it comes, until somebody ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from services.gateway.tests.conftest import StartGateway
from services.gateway.tests.running_gateway import RunningGateway
from services.gateway.tests.scripted_upstream import Received, ScriptedUpstream, answer

pytestmark = pytest.mark.anyio

REPORT = {"window": {"name": "1h"}, "predictions": {"total": 3}}
PROBLEM = answer(
    {"status": 400, "detail": "no such window", "instance": "/report", "request_id": "r"},
    status=400,
    content_type="application/problem+json",
)


class Events:
    """A stream whose events the test sends one by one."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    def send(self, event: bytes) -> None:
        self._queue.put_nowait(event)

    def end(self) -> None:
        self._queue.put_nowait(None)

    async def behave(self, received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        while (event := await self._queue.get()) is not None:
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await writer.drain()
        writer.close()  # without the last chunk, as a process that is killed does


@pytest.fixture
def events(monitor: ScriptedUpstream) -> Events:
    events = Events()
    monitor.behave = events.behave
    return events


@asynccontextmanager
async def watching(gateway: RunningGateway) -> AsyncIterator[AsyncIterator[bytes]]:
    async with gateway.http.stream("GET", "/api/monitor/stream", params={"window": "15m"}) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        yield response.aiter_raw()


async def following(chunks: AsyncIterator[bytes]) -> bytes | None:
    """The next piece, or None at the end."""
    return await asyncio.wait_for(anext(chunks, None), 5)


class TestReport:
    async def test_it_is_passed_on_with_its_query(self, gateway: RunningGateway, monitor: ScriptedUpstream) -> None:
        monitor.behave = answer(REPORT)
        response = await gateway.http.get("/api/monitor/report", params={"window": ["1h", "7d"], "x": "é&"})
        assert response.json() == REPORT
        assert response.headers["cache-control"] == "no-store"
        target = urlsplit(monitor.received[0].target)
        assert (target.path, parse_qs(target.query)) == ("/report", {"window": ["1h", "7d"], "x": ["é&"]})

    async def test_a_problem_is_passed_on_under_the_public_address(
        self, gateway: RunningGateway, monitor: ScriptedUpstream
    ) -> None:
        monitor.behave = PROBLEM
        response = await gateway.http.get("/api/monitor/report?window=2h")
        assert response.status_code == 400
        assert response.json()["detail"] == "no such window"
        assert response.json()["instance"] == "/api/monitor/report"

    async def test_a_slow_monitor_is_a_504(self, start_gateway: StartGateway, events: Events) -> None:
        gateway = await start_gateway(request_timeout_seconds=0.2)
        response = await gateway.http.get("/api/monitor/report")
        assert (response.status_code, response.json()["status"]) == (504, 504)


async def test_the_models_are_passed_on(gateway: RunningGateway, inference: ScriptedUpstream) -> None:
    inference.behave = answer({"models": []})
    assert (await gateway.http.get("/api/models")).json() == {"models": []}
    assert inference.received[0].target == "/models"


class TestStream:
    async def test_each_event_comes_when_it_is_sent(
        self, gateway: RunningGateway, monitor: ScriptedUpstream, events: Events
    ) -> None:
        async with watching(gateway) as chunks:
            for event in (b"event: report\ndata: 1\n\n", b": heartbeat\n\n", b"event: report\ndata: 2\n\n"):
                events.send(event)
                assert await following(chunks) == event
        assert monitor.received[0].target == "/stream?window=15m"

    async def test_the_event_seen_last_goes_along(
        self, gateway: RunningGateway, monitor: ScriptedUpstream, events: Events
    ) -> None:
        events.send(b"data: 1\n\n")
        async with gateway.http.stream("GET", "/api/monitor/stream", headers={"last-event-id": "7f"}):
            assert monitor.received[0].headers["last-event-id"] == "7f"

    async def test_it_outlives_the_deadline_of_requests(self, start_gateway: StartGateway, events: Events) -> None:
        gateway = await start_gateway(request_timeout_seconds=1.0)
        async with watching(gateway) as chunks:
            await asyncio.sleep(1.1)
            events.send(b"data: late\n\n")
            assert await following(chunks) == b"data: late\n\n"

    async def test_the_monitor_going_away_ends_it_cleanly(self, gateway: RunningGateway, events: Events) -> None:
        async with watching(gateway) as chunks:
            events.send(b"data: 1\n\n")
            assert await following(chunks) == b"data: 1\n\n"
            events.end()
            assert await following(chunks) is None

    async def test_a_drain_ends_it_cleanly(
        self, gateway: RunningGateway, monitor: ScriptedUpstream, events: Events
    ) -> None:
        async with watching(gateway) as chunks:
            events.send(b"data: 1\n\n")
            assert await following(chunks) == b"data: 1\n\n"
            gateway.health.draining.set()
            assert await following(chunks) is None
        await asyncio.wait_for(monitor.lost.wait(), 5)

    async def test_a_client_that_leaves_ends_the_call_to_the_monitor(
        self, gateway: RunningGateway, monitor: ScriptedUpstream, events: Events
    ) -> None:
        async with watching(gateway) as chunks:
            events.send(b"data: 1\n\n")
            assert await following(chunks) == b"data: 1\n\n"
        await asyncio.wait_for(monitor.lost.wait(), 5)

    async def test_a_client_that_leaves_before_the_monitor_begins_gives_its_place_back(
        self, start_gateway: StartGateway, monitor: ScriptedUpstream, events: Events
    ) -> None:
        asked = asyncio.Event()

        async def never(received: Received, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await asyncio.Event().wait()

        monitor.behave = never
        gateway = await start_gateway(monitor_connections=1)
        _, writer = await asyncio.open_connection(gateway.host, gateway.port)
        writer.write(b"GET /api/monitor/stream HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.wait_for(asked.wait(), 5)
        writer.close()
        await asyncio.wait_for(monitor.lost.wait(), 5)
        monitor.behave = events.behave
        async with watching(gateway):
            pass

    async def test_a_problem_is_passed_on_instead(self, gateway: RunningGateway, monitor: ScriptedUpstream) -> None:
        monitor.behave = PROBLEM
        response = await gateway.http.get("/api/monitor/stream?window=2h")
        assert response.status_code == 400
        assert response.json()["instance"] == "/api/monitor/stream"

    async def test_one_too_many_is_refused_at_once_and_reports_and_feedback_go_on(
        self, start_gateway: StartGateway, monitor: ScriptedUpstream, events: Events
    ) -> None:
        gateway = await start_gateway(monitor_connections=1)
        async with watching(gateway):
            refused = await gateway.http.get("/api/monitor/stream")
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
            assert await gateway.metric('catnet_requests_shed_total{reason="streams_full"}') == 1
            monitor.behave = answer(REPORT)
            assert (await gateway.http.get("/api/monitor/report")).json() == REPORT
            assert (await gateway.http.post("/api/feedback", json={})).json() == REPORT
        monitor.behave = events.behave
        await asyncio.wait_for(monitor.lost.wait(), 5)
        async with watching(gateway):
            pass

    async def test_a_head_request_ends(self, gateway: RunningGateway, events: Events) -> None:
        reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
        writer.write(b"HEAD /api/monitor/stream HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        everything = await asyncio.wait_for(reader.read(), 5)
        assert everything.startswith(b"HTTP/1.1 200 ")
        writer.close()

    async def test_a_monitor_that_is_away_is_a_502(self, start_gateway: StartGateway) -> None:
        gateway = await start_gateway(monitor_url="http://127.0.0.1:9")
        assert (await gateway.http.get("/api/monitor/stream")).status_code == 502

    async def test_a_monitor_that_does_not_begin_is_a_504(
        self, start_gateway: StartGateway, monitor: ScriptedUpstream
    ) -> None:
        async def never(received: Received, writer: asyncio.StreamWriter) -> None:
            await asyncio.Event().wait()

        monitor.behave = never
        gateway = await start_gateway(request_timeout_seconds=0.2)
        assert (await gateway.http.get("/api/monitor/stream")).status_code == 504
