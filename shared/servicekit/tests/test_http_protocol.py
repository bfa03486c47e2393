"""No head of a request is held without bound or awaited without end, and what comes after a body is a new request."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from servicekit import http_protocol
from servicekit.http_protocol import MAX_HEAD_BYTES, HttpProtocol
from starlette.types import Receive, Scope, Send

pytestmark = pytest.mark.anyio

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body to its end, except at /unread, and answers with what the body was; at /large, with a lot.

    At /in-pieces the answer's length is not declared.
    """
    if scope["path"].startswith("/large"):
        await answer_a_lot(scope, send)
        return
    body = b""
    more_body = scope["path"] != "/unread"
    while more_body:
        message = await receive()
        body += message["body"]
        more_body = message["more_body"]
    if scope["path"] == "/in-pieces":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        await send({"type": "http.response.body", "body": b"def"})
        return
    digest = hashlib.sha256(body).hexdigest().encode()
    target = scope["raw_path"] + b"?" + scope["query_string"]
    headers = [(b"content-length", b"64"), (b"x-target", target)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": digest})


LARGE_BYTES = 32 * 1024 * 1024
"""More than the system's buffers on both sides hold."""


async def answer_a_lot(scope: Scope, send: Send) -> None:
    """In pieces, or at /large-at-once as the last answer of its connection."""
    pieces = 1 if scope["path"] == "/large-at-once" else 512
    headers = [(b"content-length", b"%d" % LARGE_BYTES)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for number in range(1, pieces + 1):
        piece = bytes(LARGE_BYTES // pieces)
        await send({"type": "http.response.body", "body": piece, "more_body": number < pieces})


@pytest.fixture
async def connection() -> AsyncIterator[Connection]:
    started = asyncio.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
            await super().startup(sockets)  # type: ignore[arg-type]
            started.set()

    server = Server(uvicorn.Config(answer, port=0, http=HttpProtocol, ws="none", lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    await asyncio.wait_for(started.wait(), 10)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
    yield reader, writer
    writer.close()
    server.should_exit = server.force_exit = True
    await serving


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once the server has done with a connection."""
    lost = asyncio.Event()
    lose = HttpProtocol.connection_lost

    def connection_lost(protocol: HttpProtocol, error: Exception | None) -> None:
        lose(protocol, error)
        lost.set()

    monkeypatch.setattr(HttpProtocol, "connection_lost", connection_lost)
    return lost


async def next_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body = await asyncio.wait_for(reader.readexactly(length), 5)
    return int(head.split()[1]), body


async def status(reader: asyncio.StreamReader) -> int:
    """Of the next answer, whose body is read too."""
    return (await next_answer(reader))[0]


async def closed(reader: asyncio.StreamReader) -> bool:
    return await asyncio.wait_for(reader.read(), 5) == b""


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * MAX_HEAD_BYTES + b"\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * (MAX_HEAD_BYTES // 6) + b"\r\n",
        b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    ],
    ids=["a long header", "many headers", "more headers than allowed", "a long address"],
)
async def test_a_head_that_is_too_long_is_a_431(connection: Connection, head: bytes) -> None:
    reader, writer = connection
    writer.write(head)
    assert await status(reader) == 431
    assert await closed(reader)


@pytest.mark.parametrize(
    ("request_", "refusal", "instance"),
    [
        (b"GET /a?b HTTP/1.1\r\nx-request-id: mine\r\na: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n", 431, "/a"),
        (b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\n\r\n", 431, "/" + "a" * 255),
        (b"GET /a HTTP/1.1\r\nx-request-id: mine\r\n\r\n", 400, "/a"),
        (b"GET /a HTTP/2.0\r\nhost: x\r\nx-request-id: mine\r\n\r\n", 505, "/a"),
        (b"POST /a HTTP/1.1\r\nhost: x\r\nx-request-id: mine\r\ntransfer-encoding: chunked\r\n\r\nx\r\n", 400, "/a"),
        (b"\0", 400, "/"),
        (GET + b"\0", 400, "/"),
    ],
)
async def test_what_never_reaches_the_application_is_refused_with_a_problem(
    connection: Connection, request_: bytes, refusal: int, instance: str
) -> None:
    reader, writer = connection
    writer.write(request_)
    if request_.startswith(GET):
        assert await status(reader) == 200
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).lower()
    problem = json.loads(await asyncio.wait_for(reader.read(), 5))
    assert b"content-type: application/problem+json\r\n" in head
    assert f"x-request-id: {problem['request_id']}\r\n".encode() in head
    assert problem.keys() == {"type", "title", "status", "detail", "instance", "request_id"}
    assert (problem["status"], problem["instance"]) == (refusal, instance)
    assert (problem["request_id"] == "mine") is (b"mine" in request_)


async def test_a_header_that_never_ends_is_not_kept(connection: Connection) -> None:
    _, writer = connection
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\na: ")
    sent = 0
    with pytest.raises(ConnectionError):
        while sent < 100 * MAX_HEAD_BYTES:
            writer.write(bytes(1024).replace(b"\0", b"a"))
            await writer.drain()
            await asyncio.sleep(0)
            sent += 1024
        pytest.fail("it was read on")


async def test_trailers_without_end_are_not_kept(connection: Connection) -> None:
    reader, writer = connection
    writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")
    writer.write(b"a: b\r\n" * MAX_HEAD_BYTES)
    assert await status(reader) == 431


async def test_a_head_as_long_as_allowed_is_taken(connection: Connection) -> None:
    reader, writer = connection
    for piece in (b"GET / HTTP/1.1\r\nhost: x\r\na: ", b"a" * (MAX_HEAD_BYTES - 100), b"\r\n\r\n"):
        writer.write(piece)
        await asyncio.sleep(0.01)
    assert await status(reader) == 200
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * (MAX_HEAD_BYTES // 6 - 10) + b"\r\n")
    assert await status(reader) == 200


async def test_a_body_is_no_part_of_the_head(connection: Connection) -> None:
    reader, writer = connection
    for _ in range(2):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n" + bytes(1_000_000))
        assert await status(reader) == 200


@pytest.mark.parametrize("piece_bytes", [1, 7, 1000, 100_000])
@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_is_the_same_in_whatever_pieces_it_comes(
    connection: Connection, piece_bytes: int, declared: bool
) -> None:
    reader, writer = connection
    body = bytes(range(256)) * (40 if piece_bytes < 1000 else 400)
    pieces = [body[start : start + piece_bytes] for start in range(0, len(body), piece_bytes)]
    if declared:
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body))
    else:
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        pieces = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""]]
    for number, piece in enumerate(pieces):
        writer.write(piece)
        if number % 1000 == 0:
            await writer.drain()
            await asyncio.sleep(0)
    assert await next_answer(reader) == (200, hashlib.sha256(body).hexdigest().encode())


@pytest.mark.parametrize("piece_bytes", [50, 40_000, 1_000_000])
async def test_an_offer_of_another_protocol_is_declined_by_answering_in_this_one(
    connection: Connection, piece_bytes: int
) -> None:
    reader, writer = connection
    offer = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"
    body = bytes(range(256)) * 1000
    head = b"POST / HTTP/1.1\r\nhost: x\r\n%bcontent-length: %d\r\n\r\n" % (offer, len(body))
    request = head + body
    for _ in range(2):
        for start in range(0, len(request), piece_bytes):
            writer.write(request[start : start + piece_bytes])
            await asyncio.sleep(0)
        assert await next_answer(reader) == (200, hashlib.sha256(body).hexdigest().encode())


@pytest.mark.parametrize(
    "options", [b"close, Upgrade", b"HTTP2-Settings,upgrade ,Close", b"upgrade\r\nconnection: close"]
)
async def test_who_offers_another_protocol_for_one_request_gets_one_answer(
    connection: Connection, options: bytes
) -> None:
    reader, writer = connection
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: %b\r\n\r\n" % options)
    assert await status(reader) == 200
    assert await closed(reader)


async def test_a_tunnel_is_refused(connection: Connection) -> None:
    reader, writer = connection
    writer.write(b"CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n")
    assert await status(reader) == 400
    assert await closed(reader)


async def test_a_head_that_does_not_come_is_not_awaited_for_ever(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = connection
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.1)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert await status(reader) == 200
    writer.write(b"GET / HTTP/1.1\r\nhost:")
    assert await status(reader) == 408
    assert await closed(reader)


async def test_a_head_that_begins_before_an_answer_is_not_awaited_for_ever(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = connection
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.1)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost:")
    assert [await status(reader), await status(reader)] == [200, 408]
    assert await closed(reader)


async def test_beyond_the_most_connections_one_more_is_refused(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = connection
    monkeypatch.setattr(http_protocol, "MAX_CONNECTIONS", 1)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert await status(reader) == 200
    another_reader, another_writer = await asyncio.open_connection(*writer.get_extra_info("peername"))
    assert await status(another_reader) == 503
    assert await closed(another_reader)
    another_writer.close()
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert await status(reader) == 200


async def test_what_is_left_of_a_refused_body_is_not_awaited_for_ever(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = connection
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.1)
    writer.write(b"POST /unread HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nabc")
    assert await status(reader) == 200
    writer.write(b"abc")
    assert await closed(reader)


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n a\r\nb c: d\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
async def test_what_is_not_http_is_a_400(connection: Connection, head: bytes) -> None:
    reader, writer = connection
    writer.write(head)
    assert await status(reader) == 400
    assert await closed(reader)


async def test_who_takes_nothing_of_an_answer_is_cut_off(
    connection: Connection, lost: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, writer = connection
    monkeypatch.setattr(http_protocol, "TAKE_SECONDS", 0.05)
    writer.write(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
    await asyncio.wait_for(lost.wait(), 5)


async def test_who_takes_an_answer_slowly_gets_all_of_it(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "TAKE_SECONDS", 0.1)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        slow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(slow, connection[1].get_extra_info("peername"))
        await loop.sock_sendall(slow, b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        taken_bytes = 0
        while piece := await asyncio.wait_for(loop.sock_recv(slow, 64 * 1024), 5):
            taken_bytes += len(piece)
            if taken_bytes < LARGE_BYTES // 20:
                await asyncio.sleep(0.02)  # so that it takes several of the times that it may take nothing
    assert taken_bytes > LARGE_BYTES


@pytest.mark.parametrize("is_paused", [True, False])
async def test_a_connection_is_closed_though_nobody_takes_what_is_written(
    connection: Connection, lost: asyncio.Event, monkeypatch: pytest.MonkeyPatch, is_paused: bool
) -> None:
    begin = HttpProtocol.connection_made

    def connection_made(protocol: HttpProtocol, transport: asyncio.Transport) -> None:
        begin(protocol, transport)
        if not is_paused:
            transport.set_write_buffer_limits(2 * LARGE_BYTES)

    monkeypatch.setattr(http_protocol, "TAKE_SECONDS", 0.05)
    monkeypatch.setattr(HttpProtocol, "connection_made", connection_made)
    _, writer = await asyncio.open_connection(*connection[1].get_extra_info("peername"))
    writer.write(b"GET /large-at-once HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    await asyncio.wait_for(lost.wait(), 5)
    writer.close()


@pytest.mark.parametrize(
    ("bad", "refusal"),
    [
        (b"\0", 400),
        (b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n", 431),
    ],
    ids=["no HTTP", "a tunnel", "a bad body", "a long head"],
)
@pytest.mark.parametrize("requests", [1, 3])
async def test_what_is_refused_is_refused_after_the_answers_before(
    connection: Connection, requests: int, bad: bytes, refusal: int
) -> None:
    reader, writer = connection
    writer.write(GET * requests + bad)
    assert [await status(reader) for _ in range(requests + 1)] == [200] * requests + [refusal]
    assert await closed(reader)


async def test_a_long_head_is_a_431_also_where_it_begins_behind_another_request(connection: Connection) -> None:
    reader, writer = connection
    half = b"a" * (MAX_HEAD_BYTES // 2)
    for piece in (GET + GET[:-2] + b"a: " + half, half + b"\r\n\r\n"):
        writer.write(piece)
        await asyncio.sleep(0.01)
    assert [await status(reader), await status(reader)] == [200, 431]


@pytest.mark.parametrize("bad", [b"\0", GET])
@pytest.mark.parametrize("last", [GET.replace(b"x\r\n", b"x\r\nconnection: close\r\n"), GET.replace(b"1.1", b"1.0")])
async def test_what_follows_the_last_request_is_ignored(connection: Connection, last: bytes, bad: bytes) -> None:
    reader, writer = connection
    writer.write(GET + last + bad)
    assert [await status(reader), await status(reader)] == [200, 200]
    assert await closed(reader)


@pytest.mark.parametrize(("bad", "refusal"), [(b"\0", 400), (GET[:-2] + b"a: " + b"a" * MAX_HEAD_BYTES, 431)])
async def test_nothing_is_written_into_an_answer_that_has_begun(
    connection: Connection, bad: bytes, refusal: int
) -> None:
    reader, writer = connection
    writer.write(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.write(bad)
    assert await asyncio.wait_for(reader.readexactly(LARGE_BYTES), 5) == bytes(LARGE_BYTES)
    assert await status(reader) == refusal
    assert await closed(reader)


async def test_an_answer_that_has_begun_ends_where_its_request_turns_out_bad(connection: Connection) -> None:
    reader, writer = connection
    writer.write(b"POST /large HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.write(b"xyz\r\n")
    answered = await asyncio.wait_for(reader.read(), 5)
    assert answered == bytes(len(answered))
    assert len(answered) < LARGE_BYTES


async def test_an_answer_to_http_1_0_is_not_in_chunks(connection: Connection) -> None:
    reader, writer = connection
    writer.write(b"GET /in-pieces HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
    head, _, body = (await asyncio.wait_for(reader.read(), 5)).partition(b"\r\n\r\n")
    assert body == b"abcdef"
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head


async def test_an_answer_to_http_1_1_is_in_chunks_where_its_length_is_not_declared(connection: Connection) -> None:
    reader, writer = connection
    writer.write(b"GET /in-pieces HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    head, _, body = (await asyncio.wait_for(reader.read(), 5)).partition(b"\r\n\r\n")
    assert body == b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
    assert b"transfer-encoding: chunked" in head


async def test_a_client_of_http_1_0_is_not_told_to_go_on(connection: Connection) -> None:
    reader, writer = connection
    writer.write(b"POST / HTTP/1.0\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\nx")
    assert await next_answer(reader) == (200, hashlib.sha256(b"x").hexdigest().encode())


@pytest.mark.parametrize("first", [b"", GET])
@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.0\r\nhost: x\r\nHost: x\r\n\r\n",
        b"GET http://x/ HTTP/1.1\r\nx-host: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
    ],
)
async def test_a_request_is_for_one_host(connection: Connection, first: bytes, head: bytes) -> None:
    reader, writer = connection
    writer.write(first + head)
    if first:
        assert await status(reader) == 200
    assert await status(reader) == 400
    assert await closed(reader)


async def test_http_1_0_needs_no_host(connection: Connection) -> None:
    reader, writer = connection
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    assert await status(reader) == 200
    assert await closed(reader)


@pytest.mark.parametrize("version", [b"2.0", b"0.9"])
async def test_a_version_that_is_not_spoken_is_a_505(connection: Connection, version: bytes) -> None:
    reader, writer = connection
    writer.write(b"GET / HTTP/%b\r\nhost: x\r\n\r\n" % version)
    assert await status(reader) == 505
    assert await closed(reader)


@pytest.mark.parametrize(
    ("address", "target"),
    [
        (b"http://example.org", b"/?"),
        (b"http://example.org?x=1", b"/?x=1"),
        (b"http://example.org/a?x=1", b"/a?x=1"),
        (b"/a?x=1", b"/a?x=1"),
    ],
)
async def test_an_address_may_be_a_whole_one(connection: Connection, address: bytes, target: bytes) -> None:
    reader, writer = connection
    writer.write(b"GET %b HTTP/1.1\r\nhost: example.org\r\n\r\n" % address)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert b"x-target: %b\r\n" % target in head


EXPECT = b"POST %b HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n"


async def test_a_connection_ends_with_the_answer_to_a_body_that_was_not_asked_for(connection: Connection) -> None:
    reader, writer = connection
    writer.write(EXPECT % b"/unread")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close\r\n" in head


async def test_a_connection_is_kept_where_a_body_was_asked_for_or_is_there(connection: Connection) -> None:
    reader, writer = connection
    writer.write(EXPECT % b"/unread" + b"x")
    assert await status(reader) == 200
    writer.write(EXPECT % b"/")
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"x" + GET)
    assert [await status(reader), await status(reader)] == [200, 200]
