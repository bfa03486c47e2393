"""The processes under supervisord: its configuration, its process, and what it says about the others."""

from __future__ import annotations

import os
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from supervisor.xmlrpc import SupervisorTransport

START_SECONDS = 5
TIED = [sys.executable, str(Path(__file__).with_name("tied.py"))]
"""Begins the command of a process that is not to outlive the one that starts it."""
STOPPED_WHILE_STARTING = {"BACKOFF", "EXITED", "FATAL"}


@dataclass(frozen=True)
class Program:
    """One process to keep running. Those with a higher stop order are stopped first, one after the other."""

    name: str
    command: Sequence[str]
    stop_order: int
    stop_seconds: int
    environment: Mapping[str, str] = field(default_factory=dict)

    def section(self) -> str:
        environment = ",".join(f"{name}={_quoted(value)}" for name, value in self.environment.items())
        return f"""
[program:{self.name}]
command={_escaped(shlex.join([*TIED, *self.command]))}
environment={_escaped(environment)}
priority={self.stop_order}
autorestart=true
startsecs={START_SECONDS}
startretries=100
stopwaitsecs={self.stop_seconds}
killasgroup=true
redirect_stderr=true
stdout_logfile=/dev/fd/1
stdout_logfile_maxbytes=0
"""


class Supervisor:
    """supervisord in the foreground of its own process group, so that a Ctrl-C reaches only who starts it.

    A process that ends is started again: at once when it had run for START_SECONDS, else after one second, then two,
    then three, and so on.
    SIGTERM ends the processes in order, the highest stop order first, and then supervisord itself. Where it is killed,
    they end by themselves, and where this process is, it ends as by SIGTERM (``tied.py``: on Linux).
    """

    def __init__(
        self, programs: Sequence[Program], *, directory: Path, run_dir: Path, keep_open: Sequence[int]
    ) -> None:
        self._programs = programs
        self._directory = directory
        self._run_dir = run_dir
        self._keep_open = keep_open
        # Not in run_dir: a socket's path may have about 100 characters.
        self._socket_dir = tempfile.TemporaryDirectory(prefix="catnet-")
        self._socket = Path(self._socket_dir.name) / "supervisor.sock"
        self._password = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._is_told_to_end = False

    def start(self) -> IO[bytes]:
        """Start everything. Returns: what all processes print; it ends when supervisord does."""
        configuration = self._run_dir / "supervisord.conf"
        configuration.write_text(self._head() + "".join(program.section() for program in self._programs))
        self._process = subprocess.Popen(
            [
                *TIED,
                sys.executable,
                "-m",
                "supervisor.supervisord",
                "--nodaemon",
                "--configuration",
                str(configuration),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            pass_fds=self._keep_open,
        )
        return cast(IO[bytes], self._process.stdout)

    def stop(self) -> None:
        """Begin to end everything, where that has not begun; wait() tells when it is done."""
        if self._process and not self._is_told_to_end:
            self._is_told_to_end = True  # in its last moments another SIGTERM would kill it, as if it had failed
            self._process.terminate()
            self._process.send_signal(signal.SIGCONT)  # where somebody has stopped it, it learns of its end only now

    def wait(self) -> int:
        """Wait for the end. Returns: supervisord's exit status."""
        status = self._process.wait() if self._process else 0
        self._socket_dir.cleanup()
        return status

    def stopped_while_starting(self) -> str | None:
        """Name of a process that ended instead of starting up, if there is one."""
        transport = SupervisorTransport("catnet", self._password, f"unix://{self._socket}")
        try:
            with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as control:
                processes = cast(list[dict[str, str]], control.supervisor.getAllProcessInfo())
        except OSError:
            return None  # supervisord does not listen yet
        return next((each["name"] for each in processes if each["statename"] in STOPPED_WHILE_STARTING), None)

    def _head(self) -> str:
        return f"""[supervisord]
directory={_escaped(str(self._directory))}
logfile={_escaped(str(self._run_dir / "supervisord.log"))}
logfile_maxbytes=1MB
pidfile={_escaped(str(self._run_dir / "supervisord.pid"))}
loglevel=warn
{"user=root" if os.getuid() == 0 else ""}

[unix_http_server]
file={self._socket}
chmod=0700
username=catnet
password={self._password}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(value: str) -> str:
    return value.replace("%", "%%")
