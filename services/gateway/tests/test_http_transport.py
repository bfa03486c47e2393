"""Calls share a bounded number of connections, and no answer is ever taken for that of another call."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType

import pytest
from gateway import http_connection, replica
from gateway.http_connection import MAX_HEAD_BYTES
from gateway.http_transport import STREAM_BUFFER_BYTES, HttpTransport
from gateway.transport import MAX_ANSWER_BYTES, Answer, AnswerBroken, Content, NotAnswered

from services.gateway.tests.scripted_upstream import Behaviour, Received, ScriptedUpstream, answer, close

pytestmark = pytest.mark.anyio

TARGET = "/x?y=1"
HEADERS = MappingProxyType({"x-request-id": "r"})
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def raw(content: bytes, *, then_close: bool = False) -> Behaviour:
    """Answer with these bytes."""

    async def behave(received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        if then_close:
            writer.close()

    return behave


@pytest.fixture
async def upstream(inference: ScriptedUpstream) -> ScriptedUpstream:
    inference.behave = raw(OK)
    return inference


@pytest.fixture
async def transport(upstream: ScriptedUpstream) -> AsyncIterator[HttpTransport]:
    async with HttpTransport(upstream.url, connections=2) as transport:
        yield transport


async def send(
    transport: HttpTransport,
    target: str = TARGET,
    headers: Mapping[str, str] = HEADERS,
    body: Content | None = b"photo",
) -> Answer:
    return await asyncio.wait_for(transport.send(target, headers, body), 10)


async def test_a_call_arrives_as_it_was_made(transport: HttpTransport, upstream: ScriptedUpstream) -> None:
    assert (await send(transport)).body == b"ok"
    await send(transport, "/health", {}, None)
    post, get = upstream.received
    assert (post.method, post.target, post.body) == ("POST", "/x?y=1", b"photo")
    assert post.headers == {"host": upstream.url.removeprefix("http://"), "x-request-id": "r", "content-length": "5"}
    assert (get.method, get.target, get.body) == ("GET", "/health", b"")


async def test_the_path_of_a_service_that_has_one_comes_first(upstream: ScriptedUpstream) -> None:
    async with HttpTransport(f"{upstream.url}/behind/", connections=1) as transport:
        await send(transport)
    assert upstream.received[0].target == "/behind/x?y=1"


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK,
    ],
    ids=["in chunks", "announced"],
)
async def test_other_ways_to_send_an_answer_are_understood(
    transport: HttpTransport, upstream: ScriptedUpstream, content: bytes
) -> None:
    upstream.behave = raw(content)
    for _ in range(2):
        result = await send(transport)
        assert (result.status, result.body) == (200, b"ok")
        assert b"link" not in result.headers
    assert upstream.connections == 1


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: " + b"a" * 2 * MAX_HEAD_BYTES,
        b"HTTP/1.1 200 OK\r\ncontent-length: 5000000\r\n\r\n" + bytes(MAX_ANSWER_BYTES + 1),
    ],
    ids=[
        "no length",
        "short",
        "no last chunk",
        "half a head",
        "not HTTP",
        "an upgrade",
        "endless head",
        "long",
    ],
)
async def test_an_answer_that_is_not_whole_is_broken_and_its_connection_is_not_used_again(
    transport: HttpTransport, upstream: ScriptedUpstream, content: bytes
) -> None:
    upstream.behave = raw(content, then_close=True)
    with pytest.raises(AnswerBroken):
        await send(transport)
    upstream.lost.clear()
    upstream.behave = raw(OK)
    assert (await send(transport)).body == b"ok"
    assert upstream.connections == 2


@pytest.mark.parametrize("calls_before", [0, 1])
async def test_a_connection_that_closes_instead_of_answering_is_told_from_an_answer_that_is_not_whole(
    transport: HttpTransport, upstream: ScriptedUpstream, calls_before: int
) -> None:
    for _ in range(calls_before):
        await send(transport)
    upstream.behave = close
    with pytest.raises(NotAnswered):
        await send(transport)


async def test_a_connection_that_was_closed_while_idle_is_not_used(
    transport: HttpTransport, upstream: ScriptedUpstream
) -> None:
    upstream.behave = raw(OK, then_close=True)
    for _ in range(3):
        assert (await send(transport)).body == b"ok"
        await asyncio.sleep(0.05)  # the end of the connection arrives
    assert upstream.connections == 3


async def test_a_connection_idle_for_too_long_is_not_used(
    transport: HttpTransport, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "KEEP_ALIVE_SECONDS", 0.0)
    await send(transport)
    await send(transport)
    assert upstream.connections == 2


async def test_where_a_connection_was_lost_the_next_call_needs_a_new_one(
    transport: HttpTransport, upstream: ScriptedUpstream
) -> None:
    async def together(received: Received, writer: asyncio.StreamWriter) -> None:
        await both_here.wait()
        await raw(OK)(received, writer)

    both_here = asyncio.Barrier(2)
    upstream.behave = together
    await asyncio.gather(send(transport), send(transport))
    upstream.behave = close
    with pytest.raises(NotAnswered):
        await send(transport)
    upstream.behave = raw(OK)
    await send(transport)
    assert [received.connection for received in upstream.received][-1] == 3


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux tells")
async def test_a_connection_on_which_nothing_is_taken_is_lost_soon_if_it_was_idle(
    transport: HttpTransport, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read_no_more(received: Received, writer: asyncio.StreamWriter) -> None:
        await raw(OK)(received, writer)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    monkeypatch.setattr(http_connection, "UNTAKEN_SECONDS", 0.2)
    upstream.behave = read_no_more
    await send(transport)
    with pytest.raises(NotAnswered):
        await send(transport, body=bytes(16_000_000))


async def test_a_new_connection_on_which_nothing_is_taken_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "UNTAKEN_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:  # takes what its buffers hold
        async with HttpTransport(f"http://127.0.0.1:{listener.getsockname()[1]}", connections=1) as transport:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await send(transport, body=bytes(16_000_000))


async def test_what_was_not_asked_for_is_not_taken_for_the_next_answer(
    transport: HttpTransport, upstream: ScriptedUpstream
) -> None:
    upstream.behave = raw(OK + OK.replace(b"ok", b"no"))
    for _ in range(2):
        assert (await send(transport)).body == b"ok"
    assert upstream.connections == 2


async def test_a_cancelled_call_takes_its_connection_with_it(
    transport: HttpTransport, upstream: ScriptedUpstream
) -> None:
    async def never(received: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    upstream.behave = never
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await transport.send(TARGET, HEADERS)
    await asyncio.wait_for(upstream.lost.wait(), 5)
    upstream.lost.clear()
    upstream.behave = raw(OK)
    assert (await send(transport)).body == b"ok"


async def test_more_calls_than_connections_wait_for_one(transport: HttpTransport, upstream: ScriptedUpstream) -> None:
    answers = await asyncio.gather(*(send(transport) for _ in range(20)))
    assert [answer.body for answer in answers] == [b"ok"] * 20
    assert upstream.connections <= 2


async def test_no_service_is_not_answered() -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with HttpTransport(f"http://127.0.0.1:{port}", connections=1) as transport:
        with pytest.raises(NotAnswered):
            await send(transport)


@pytest.mark.parametrize("broken", ["b\r\nc: d", "b\nc: d", "b\rc: d"])
async def test_a_header_cannot_begin_another(transport: HttpTransport, upstream: ScriptedUpstream, broken: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        await send(transport, headers={"a": broken})
    assert upstream.received == []


async def test_a_stream_is_taken_no_faster_than_it_is_read(
    transport: HttpTransport, upstream: ScriptedUpstream
) -> None:
    sent = 0
    has_stopped = asyncio.Event()

    async def flood(received: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        writer.transport.set_write_buffer_limits(STREAM_BUFFER_BYTES)
        while True:
            writer.write(bytes(STREAM_BUFFER_BYTES))
            sent += STREAM_BUFFER_BYTES
            try:
                await asyncio.wait_for(writer.drain(), 0.5)
            except TimeoutError:
                has_stopped.set()
                return

    upstream.behave = flood
    async with transport.stream(TARGET, HEADERS) as stream:
        await asyncio.wait_for(has_stopped.wait(), 20)
        held = sent
        received = 0
        async for chunk in stream.chunks:
            received += len(chunk)
            if received >= STREAM_BUFFER_BYTES:
                break
    assert held < 100_000_000  # what the system's buffers hold, and not all that was to come


async def test_the_chunks_of_a_stream_end_where_it_ends_or_breaks_off(
    transport: HttpTransport, upstream: ScriptedUpstream
) -> None:
    for behave in (answer(b"all of it", content_type="text/event-stream"), answer(b"all of it", length=100)):
        upstream.lost.clear()
        upstream.behave = behave
        async with transport.stream(TARGET, HEADERS) as stream:
            assert b"".join([chunk async for chunk in stream.chunks]) == b"all of it"


async def test_the_connection_of_an_answer_that_came_faster_than_it_was_read_takes_the_next_one(
    transport: HttpTransport, upstream: ScriptedUpstream
) -> None:
    content = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (2 * STREAM_BUFFER_BYTES)
    for _ in range(3):
        upstream.behave = raw(content + bytes(2 * STREAM_BUFFER_BYTES))
        async with transport.stream(TARGET, HEADERS) as streamed:
            sizes = [len(chunk) async for chunk in streamed.chunks]
        assert sum(sizes) == 2 * STREAM_BUFFER_BYTES
        upstream.behave = raw(OK)
        assert (await send(transport)).body == b"ok"
    assert upstream.connections == 1
