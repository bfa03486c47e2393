"""The head of an answer leaves with its body, and never later than the loop's next turn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from servicekit.joined_writes import JoinedWrites

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Transport(asyncio.Transport):
    """Keeps what reaches it, a write an entry; ``None`` is its end."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes | None] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.written.append(b"".join(list_of_data))

    def close(self) -> None:
        self.written.append(None)

    def get_write_buffer_size(self) -> int:
        return 7


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def transport() -> Transport:
    return Transport()


async def test_a_head_and_its_body_are_one_write(transport: Transport) -> None:
    joined = JoinedWrites(transport, asyncio.get_running_loop())
    joined.write(HEAD)
    joined.write(b"body")
    joined.write(b"more")
    assert transport.written == [HEAD + b"body", b"more"]
    await asyncio.sleep(0)
    assert transport.written == [HEAD + b"body", b"more"]


async def test_a_head_whose_body_is_late_does_not_wait_for_it(transport: Transport) -> None:
    joined = JoinedWrites(transport, asyncio.get_running_loop())
    joined.write(HEAD)
    await asyncio.sleep(0)
    assert transport.written == [HEAD]
    joined.write(b"event")
    assert transport.written == [HEAD, b"event"]


async def test_a_head_alone_leaves_before_the_connection_closes(transport: Transport) -> None:
    joined = JoinedWrites(transport, asyncio.get_running_loop())
    joined.write(HEAD)
    joined.close()
    await asyncio.sleep(0)
    assert transport.written == [HEAD, None]


async def test_answers_keep_their_order(transport: Transport) -> None:
    joined = JoinedWrites(transport, asyncio.get_running_loop())
    for _ in range(3):
        joined.write(HEAD)
    await asyncio.sleep(0)
    assert b"".join(part or b"" for part in transport.written) == 3 * HEAD


async def test_all_else_is_the_transports_own(transport: Transport) -> None:
    assert JoinedWrites(transport, asyncio.get_running_loop()).get_write_buffer_size() == 7
