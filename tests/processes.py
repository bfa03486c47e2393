"""The real thing for tests: a private Redis and the three services, each a process that a test can end and restart."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from preflight import free_port
from redis_server import ROOT, RedisServer, find_redis_server

READY_SECONDS = 60.0  # a machine that does much else at the same time takes its time
STOP_SECONDS = 20.0


def wait_until(is_so: Callable[[], bool], what: str, seconds: float = READY_SECONDS) -> None:
    """Return once is_so() holds. Raises: AssertionError, saying what was waited for, when it does not in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)


class ServiceProcess:
    """`python -m NAME`, or `python PROGRAM`, on a port of 127.0.0.1; what it prints goes to a file."""

    def __init__(
        self, name: str, port: int, environment: Mapping[str, str], log: Path, *, program: Sequence[str] = ()
    ) -> None:
        self.name = name
        self._program = program or ["-m", name]
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        self._environment = {**os.environ, **environment, "HOST": "127.0.0.1", "PORT": str(port)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} does not run"
        return self._process.pid

    def start(self) -> None:
        """Start; wait_ready() tells when it takes requests."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._program],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_ready(self) -> None:
        try:
            wait_until(self.is_ready, f"{self.name} is ready")
        except AssertionError as error:
            error.add_note(self.log.read_text(errors="replace")[-4000:])
            raise

    def is_ready(self) -> bool:
        assert self.is_running(), f"{self.name} ended: {self.log.read_text(errors='replace')[-4000:]}"
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=2, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it as a crash would (SIGKILL), and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it in order (SIGTERM). Raises: TimeoutExpired, after a SIGKILL, if it does not end in time."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        finally:
            self.kill()


@dataclass(frozen=True)
class Catnet:
    """All of it, running."""

    gateway: ServiceProcess
    inference: ServiceProcess
    monitor: ServiceProcess
    redis: RedisServer

    @property
    def services(self) -> tuple[ServiceProcess, ServiceProcess, ServiceProcess]:
        return self.gateway, self.inference, self.monitor

    @property
    def gateway_url(self) -> str:
        return self.gateway.url

    @property
    def inference_url(self) -> str:
        return self.inference.url

    @property
    def monitor_url(self) -> str:
        return self.monitor.url

    @property
    def redis_url(self) -> str:
        return self.redis.url


@contextmanager
def run_redis(data_dir: Path) -> Iterator[RedisServer]:
    """A private Redis with its data in data_dir."""
    server = RedisServer(find_redis_server(), free_port(), data_dir)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def run_catnet_on(redis_url: str, directory: Path, **environment: str) -> Iterator[dict[str, ServiceProcess]]:
    """The three services on free ports, ready, on a Redis that runs; logs are in directory. Ended in order."""
    ports = {name: free_port() for name in ("gateway", "inference", "monitor")}
    common = {
        "REDIS_URL": redis_url,
        "INFERENCE_URL": f"http://127.0.0.1:{ports['inference']}",
        "MONITOR_URL": f"http://127.0.0.1:{ports['monitor']}",
        **environment,
    }
    services = {name: ServiceProcess(name, port, common, directory / f"{name}.log") for name, port in ports.items()}
    with ExitStack() as stack:
        for name in ("monitor", "inference", "gateway"):
            stack.callback(services[name].stop)
            services[name].start()
        for service in services.values():
            service.wait_ready()
        yield services


@contextmanager
def run_catnet(directory: Path, **environment: str) -> Iterator[Catnet]:
    """Redis and the three services on free ports, ready; data and logs are in directory. Ended in order at the end."""
    with (
        run_redis(directory / "redis") as redis,
        run_catnet_on(redis.url, directory, **environment) as services,
    ):
        yield Catnet(**services, redis=redis)
