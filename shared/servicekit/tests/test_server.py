"""Who has connected before the port closes gets one answer, and nobody is waited for long."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI
from servicekit import http_protocol
from servicekit.health import Health
from servicekit.http_protocol import HttpProtocol
from servicekit.server import DrainingServer

pytestmark = pytest.mark.anyio

REQUEST = b"GET /docs HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def server() -> AsyncIterator[DrainingServer]:
    config = uvicorn.Config(
        FastAPI(), port=0, http=HttpProtocol, ws="none", lifespan="off", log_config=None, timeout_graceful_shutdown=5
    )
    config.load()
    server = DrainingServer(config, Health(), drain_seconds=0)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield server
    for listener in server.servers:
        listener.close()


def address(server: DrainingServer) -> tuple[str, int]:
    host, port = server.servers[0].sockets[0].getsockname()
    return host, port


async def last_answer(client: socket.socket) -> bytes:
    """The start of the answer after which the connection is closed."""
    reader, writer = await asyncio.open_connection(sock=client)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert b"\r\nconnection: close\r\n" in answer
    return answer[:12]


async def test_who_connects_just_before_the_port_closes_is_answered(server: DrainingServer) -> None:
    door = address(server)
    clients = [socket.create_connection(door) for _ in range(3)]  # and the loop has seen none of them
    for client in clients:
        client.sendall(REQUEST)
    ending = asyncio.create_task(server.shutdown())
    assert await asyncio.gather(*map(last_answer, clients)) == [b"HTTP/1.1 200"] * 3
    await asyncio.wait_for(ending, 5)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(door)


async def connection(server: DrainingServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, HttpProtocol]:
    """A new one that the server has let in: its protocol too."""
    others = set(server.server_state.connections)
    reader, writer = await asyncio.open_connection(*address(server))
    while not (new := server.server_state.connections - others):  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0)
    (protocol,) = new
    assert isinstance(protocol, HttpProtocol)
    return reader, writer, protocol


@pytest.mark.parametrize("begun", [0, 10], ids=["not begun", "half a head"])
async def test_a_request_that_is_just_arriving_is_answered_when_the_server_ends(
    server: DrainingServer, begun: int
) -> None:
    reader, writer, protocol = await connection(server)
    protocol.data_received(REQUEST[:begun])
    protocol.shutdown()
    writer.write(REQUEST[begun:])
    answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answer
    writer.close()


async def test_a_request_that_does_not_come_is_not_awaited_for_long_when_the_server_ends(
    server: DrainingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "LAST_HEAD_SECONDS", 0.05)
    silent, silent_writer, protocol = await connection(server)
    protocol.shutdown()
    assert await asyncio.wait_for(silent.read(), 5) == b""
    halting, halting_writer, protocol = await connection(server)
    protocol.data_received(REQUEST[:10])
    protocol.shutdown()
    assert (await asyncio.wait_for(halting.read(), 5)).startswith(b"HTTP/1.1 408 ")
    for writer in (silent_writer, halting_writer):
        writer.close()


async def test_a_connection_that_has_had_its_answer_is_closed_at_once_when_the_server_ends(
    server: DrainingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "LAST_HEAD_SECONDS", 60)
    reader, writer, protocol = await connection(server)
    writer.write(REQUEST)
    await asyncio.wait_for(reader.readuntil(b"</html>"), 5)
    protocol.shutdown()
    assert (await asyncio.wait_for(reader.read(), 5)).strip() == b""
    writer.close()


def limits_of_a_service(before: str) -> str:
    """On open files, where ``before`` has prepared them."""
    program = f"""if True:
        import resource
        from unittest.mock import patch
        from fastapi import FastAPI
        from servicekit.health import Health
        from servicekit.server import DrainingServer, serve
        from servicekit.settings import ServiceSettings

        app = FastAPI()
        app.state.health = Health()
        {before}
        with patch.object(DrainingServer, "run"):
            serve(app, ServiceSettings())
        print(resource.getrlimit(resource.RLIMIT_NOFILE))
    """
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_a_service_may_open_as_many_files_as_its_user_may() -> None:
    assert limits_of_a_service("resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128))") == "(128, 128)\n"


def test_a_system_that_does_not_take_the_bound_that_it_tells_is_asked_for_what_it_takes() -> None:
    as_on_macos = (
        "limits = [(256, 2**63 - 1)]; resource.getrlimit = lambda _: limits[-1]; "
        "resource.setrlimit = lambda _, new: limits.append(new if new[0] <= 10_240 else int('too many'))"
    )
    assert limits_of_a_service(as_on_macos) == f"(10240, {2**63 - 1})\n"


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_service_that_is_told_to_end_ends_with_status_0_and_without_a_word(ending: signal.Signals) -> None:
    program = f"""if True:
        import os, socket
        from contextlib import asynccontextmanager
        from fastapi import FastAPI
        from servicekit.health import Health
        from servicekit.server import serve
        from servicekit.settings import ServiceSettings

        @asynccontextmanager
        async def lifespan(app):
            os.kill(os.getpid(), {ending})
            yield
            print("closed")

        app = FastAPI(lifespan=lifespan)
        app.state.health = Health()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        serve(app, ServiceSettings(port=port))
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (0, "closed\n", "")


def test_a_service_that_is_told_to_end_waits_for_no_thread() -> None:
    program = """if True:
        import os, signal, socket, threading
        from contextlib import asynccontextmanager
        from fastapi import FastAPI
        from servicekit.health import Health
        from servicekit.server import serve
        from servicekit.settings import ServiceSettings

        @asynccontextmanager
        async def lifespan(app):
            threading.Thread(target=threading.Event().wait).start()
            os.kill(os.getpid(), signal.SIGTERM)
            yield

        app = FastAPI(lifespan=lifespan)
        app.state.health = Health()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        serve(app, ServiceSettings(port=port))
    """
    subprocess.run([sys.executable, "-c", program], check=True, timeout=10)


async def test_a_name_that_is_not_found_after_connecting_was_given_up_is_not_told(
    server: DrainingServer, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    no_name, work = socket.gaierror(socket.EAI_AGAIN, "no name"), asyncio.current_task()
    for error, future in ((no_name, loop.create_future()), (no_name, work), (ValueError("why"), work)):
        loop.call_exception_handler({"message": "never retrieved", "exception": error, "future": future})
    told = [record.exc_info and record.exc_info[0] for record in caplog.records]
    assert told == [socket.gaierror, ValueError]  # of a task that ended by it, it is told
