"""One write for an answer: its head leaves together with the first bytes of its body.

uvicorn gives the transport one after the other, and uvloop writes each at once: two system calls and two packets, which
cost more than all else on a short answer's way out.
"""

from __future__ import annotations

import asyncio
from typing import Any

_START_OF_HEAD = b"HTTP/1.1 "


class JoinedWrites:
    """A transport that holds the head of an answer until the next write, or alone until the loop's next turn."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.writelines((head, data))
        elif data.startswith(_START_OF_HEAD):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
