"""Nobody waits for the reader of the log, and what it misses is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from select import PIPE_BUF

import pytest
import structlog
from servicekit import logs
from servicekit.logs import LogLines, configure_logs
from servicekit.output import Output


@dataclass
class Pipe:
    reader: int
    writer: int

    def fill(self) -> int:
        """Until there is no more room. Returns: how many bytes that took."""
        os.set_blocking(self.writer, False)
        filled = 0
        try:
            while True:
                filled += os.write(self.writer, b"." * PIPE_BUF)
        except BlockingIOError:
            os.set_blocking(self.writer, True)  # as the writer has it
        return filled

    def read(self) -> bytes:
        return os.read(self.reader, 2**20)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb"), os.fdopen(writer, "wb"):
        yield Pipe(reader, writer)


def test_a_line_for_which_there_is_no_room_is_not_waited_for(pipe: Pipe) -> None:
    output = Output(pipe.writer)
    pipe.fill()
    assert not output.write(b"a line\n")
    pipe.read()
    assert output.write(b"another\n")
    assert pipe.read() == b"another\n"


def test_a_long_line_is_written_whole_where_there_is_room(pipe: Pipe) -> None:
    line = b"x" * (3 * PIPE_BUF) + b"\n"
    assert Output(pipe.writer).write(line)
    assert pipe.read() == line


def test_a_line_that_was_begun_is_ended_before_the_next(pipe: Pipe) -> None:
    output = Output(pipe.writer)
    room = pipe.fill()
    pipe.read()
    assert not output.write(b"x" * (room + PIPE_BUF) + b"\n")
    pipe.read()
    assert output.write(b"the next\n")
    assert pipe.read() == b"\nthe next\n"


def test_what_was_dropped_is_told_when_there_is_room_again(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    before = structlog.get_config()
    lines = LogLines(pipe.writer)
    monkeypatch.setattr(logs, "_standard_output", lines)
    configure_logs(service="gateway", level="info", style="json")
    try:
        pipe.fill()
        lines.write("dropped")
        structlog.get_logger("any").info("dropped")
        pipe.read()
        lines.write("there")
        there, told = pipe.read().splitlines()
    finally:
        structlog.configure(**before)
    assert there == b"there"
    assert json.loads(told)["lines"] == 2
    (family,) = logs.DroppedLines("gateway").collect()
    assert [(sample.name, sample.value) for sample in family.samples] == [("catnet_log_lines_dropped_total", 2)]


def test_a_message_that_does_not_fit_its_arguments_fails_nobody() -> None:
    program = """if True:
        import logging
        from servicekit.logs import configure_logs
        configure_logs(service="gateway", level="info", style="json")
        logging.getLogger("another's").warning("%d of them", "many")
        logging.getLogger("another's").warning("went on")
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["event"] == "went on"
    assert "many" in done.stderr


@pytest.mark.parametrize("redirected", [">/dev/full", ">&-", "| true"])
def test_a_log_that_takes_nothing_fails_nobody(redirected: str) -> None:
    program = """if True:
        import logging, structlog
        from servicekit.logs import configure_logs
        configure_logs(service="gateway", level="info", style="json")
        for _ in range(100):
            structlog.get_logger("ours").info("event")
            logging.getLogger("another's").warning("event")
        open(3, "w").write("went on")
    """
    command = f'"$0" -c "$1" 3>&2 2>/dev/null {redirected}'
    done = subprocess.run(["sh", "-c", command, sys.executable, program], stderr=subprocess.PIPE, check=False)
    assert done.stderr == b"went on"
