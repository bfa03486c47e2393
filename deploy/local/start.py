"""`make run`: check, start Redis and the three services under one supervisor, say when they are ready, end them all.

Whatever goes wrong is one line on standard error, an exit status that is not 0, and nothing left running.
"""

from __future__ import annotations

import os
import signal

if __name__ == "__main__":
    # Before all that takes time, and while there is nothing to end: Python's own way to take a Ctrl-C is a traceback,
    # and the first process of a container would take no notice of a SIGTERM.
    for _ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(_ending, lambda number, _: os._exit(128 + number))

import errno
import http.client
import json
import math
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gateway.settings import GatewaySettings
from inference.settings import InferenceSettings
from monitor.settings import MonitorSettings
from preflight import StartError, check_model, check_ports, check_redis_url, free_port, lock_run_dir
from pydantic import Field
from redis_server import ROOT, RedisServerMissing, find_redis_server, redis_command
from servicekit.output import Output
from servicekit.settings import ServiceSettings, read_settings
from supervision import Program, Supervisor

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
LOOPBACK = "127.0.0.1"
READY_SECONDS = 60.0
REDIS_STOP_SECONDS = 30
FLUSH_SECONDS = 10
"""What a service may need after its last request, to hand over what it still holds."""
READER_SECONDS = 1.0
"""How long whoever reads what is printed may take; who has stopped for longer misses lines, and stops nothing else."""


class LaunchSettings(ServiceSettings):
    """What the launcher itself can be told; everything else is for the services."""

    inference_port: int = Field(8081, ge=1, le=65535, description="Port of inference under `make run`.")
    monitor_port: int = Field(8082, ge=1, le=65535, description="Port of the monitor under `make run`.")
    redis_url: str | None = Field(None, description="A Redis that runs already; without it a private one is started.")
    run_dir: Path = Field(Path(".run"), description="Folder of the private Redis's data and of the supervisor's files.")


def main() -> int:
    """Run until told to stop. Returns: the exit status."""
    try:
        return run(read_settings(LaunchSettings))
    except StartError as error:
        print(f"catnet: {error}", file=sys.stderr)
        return 1


def run(settings: LaunchSettings) -> int:
    redis_port = free_port()
    # The services inherit this environment, and the checks below read it as they will.
    os.environ.setdefault("LOG_FORMAT", "text")
    os.environ["REDIS_URL"] = settings.redis_url or f"redis://{LOOPBACK}:{redis_port}/0"
    os.environ["INFERENCE_URL"] = f"http://{LOOPBACK}:{settings.inference_port}"
    os.environ["MONITOR_URL"] = f"http://{LOOPBACK}:{settings.monitor_port}"
    inference = read_settings(InferenceSettings)
    programs = [
        service("gateway", settings.host, settings.port, read_settings(GatewaySettings), stop_order=4),
        service("inference", LOOPBACK, settings.inference_port, inference, stop_order=3),
        service("monitor", LOOPBACK, settings.monitor_port, read_settings(MonitorSettings), stop_order=2),
    ]

    run_dir = ROOT / settings.run_dir
    lock = lock_run_dir(run_dir)
    check_ports(
        PORT=(settings.host, settings.port),
        INFERENCE_PORT=(LOOPBACK, settings.inference_port),
        MONITOR_PORT=(LOOPBACK, settings.monitor_port),
    )
    check_model(ROOT / inference.models_dir, inference.default_model)
    if settings.redis_url:
        check_redis_url(settings.redis_url)
    else:
        programs.append(private_redis(redis_port, run_dir / "redis"))
    supervisor = Supervisor(programs, directory=ROOT, run_dir=run_dir, keep_open=[lock])
    return supervise(supervisor, settings)


def service(name: str, host: str, port: int, settings: ServiceSettings, *, stop_order: int) -> Program:
    return Program(
        name=name,
        command=[sys.executable, "-m", name],
        stop_order=stop_order,
        stop_seconds=math.ceil(settings.drain_seconds + settings.shutdown_seconds) + FLUSH_SECONDS,
        environment={"HOST": host, "PORT": str(port)},
    )


def private_redis(port: int, data_dir: Path) -> Program:
    try:
        program = find_redis_server()
    except RedisServerMissing as error:
        raise StartError(str(error)) from None
    data_dir.mkdir(exist_ok=True)
    return Program("redis", redis_command(program, port, data_dir), stop_order=1, stop_seconds=REDIS_STOP_SECONDS)


def supervise(supervisor: Supervisor, settings: LaunchSettings) -> int:
    """Start everything, show what it prints, and return when all of it has ended."""
    stopping = threading.Event()

    def stop(*_: object) -> None:
        stopping.set()
        supervisor.stop()

    shown = Output(sys.stdout.fileno(), patience_seconds=READER_SECONDS)

    def show(line: bytes) -> None:
        try:
            shown.write(line)
        except OSError as error:  # where a disk is full, lines are lost, and no more
            if error.errno in (errno.EPIPE, errno.EIO):  # nobody reads any more
                stop()

    for ending in ENDINGS:
        signal.signal(ending, stop)
    with ThreadPoolExecutor(1) as executor:
        output = supervisor.start()
        failure = executor.submit(announce, supervisor, settings, show, stopping)
        failure.add_done_callback(lambda done: stop() if done.result() else None)
        if stopping.is_set():  # a signal came before there was anything to stop
            supervisor.stop()
        for line in output:
            show(line)
        stopping.set()
    status = supervisor.wait()
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)  # another one, while Python itself ends, would be a death by it
    if reason := failure.result():
        raise StartError(reason)
    if status != 0:
        raise StartError(f"the supervisor ended with status {status}; on Linux the services end with it")
    return 0


def announce(
    supervisor: Supervisor, settings: LaunchSettings, show: Callable[[bytes], None], stopping: threading.Event
) -> str | None:
    """Wait until all services are well, and say where they are. Returns: why they did not get well, else None."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if stopping.wait(0.25):
            return None
        if name := supervisor.stopped_while_starting():
            return f"{name} ended while it started; its reason is above"
        if is_well(settings.port):
            url = f"http://{LOOPBACK}:{settings.port}"
            show(
                f"\ncatnet is ready\n  predict    {url}/\n  dashboard  {url}/dashboard\n  API        {url}/docs\n"
                f"  Redis      {os.environ['REDIS_URL']}\nCtrl-C stops everything.\n\n".encode()
            )
            return None
    return f"not ready within {READY_SECONDS:.0f} s; {LOOPBACK}:{settings.port}/health says what is missing"


def is_well(port: int) -> bool:
    """Whether the gateway answers that it and everything behind it work."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/health")
        status = json.loads(connection.getresponse().read())["status"]
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return False
    finally:
        connection.close()
    return bool(status == "ok")


if __name__ == "__main__":
    sys.exit(main())
