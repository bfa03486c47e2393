"""Write to whoever reads standard output without waiting for them.

A reader that has stopped (a pager, a log collector that hangs, a terminal after Ctrl-S) leaves a pipe full, and a plain
write to it waits for as long as that lasts. The handle is not made non-blocking: whoever shares it would get that too.
"""

from __future__ import annotations

import os
from select import PIPE_BUF, POLLOUT, poll
from threading import RLock


class Output:
    """A file handle, for whole lines.

    ``patience_seconds``: how long a line waits for room. Where there went on to be none, the next do not wait.
    """

    def __init__(self, handle: int, *, patience_seconds: float = 0) -> None:
        self._handle = handle
        self._room = poll()
        self._room.register(handle, POLLOUT)
        self._patience_ms = self._longest_patience_ms = round(patience_seconds * 1000)
        self._is_torn = False
        self._turn = RLock()  # a long line takes several writes

    def write(self, line: bytes) -> bool:
        """Write a line; return whether there was room for all of it.

        Raises: OSError, where the handle takes nothing at all.
        """
        with self._turn:
            if self._is_torn:
                line = b"\n" + line
            written = 0
            try:
                while written < len(line):
                    if not self._room.poll(self._patience_ms):
                        self._patience_ms = 0
                        return False
                    # So much is taken without waiting where there is room.
                    written += os.write(self._handle, line[written : written + PIPE_BUF])
            finally:
                if written:
                    self._is_torn = written < len(line)
            self._patience_ms = self._longest_patience_ms
            return True
