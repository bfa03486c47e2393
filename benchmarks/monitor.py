"""What one monitor can take: events a second, reports, listeners, and what it keeps in Redis.

Everything runs as it does in production: a private Redis that loses nothing, monitors as processes, events as they are
published. Rates are between the first and the last event of a backlog, as Redis counts them.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import httpx
import psutil
import redis
from events.names import STREAM
from events.prediction import PredictionEvent
from monitor.windows import WINDOWS
from preflight import free_port

from tests.integration.monitoring import MODEL, events, publish, settled
from tests.processes import ServiceProcess, run_redis, wait_until

BACKLOG = 100_000
DRAW = 20_000
"""Distinct events drawn; the backlog repeats their contents under other ids."""
REPORTS = 30
LISTENERS = 500
BUSY_HOURS = 24 * 14


@dataclass(frozen=True, slots=True)
class Effort:
    backlog: int = BACKLOG
    busy_hours: int = BUSY_HOURS
    listeners: int = LISTENERS


@dataclass(frozen=True, slots=True)
class Drained:
    """What a backlog took. Units: seconds from the first event counted to the last; microseconds of CPU an event;
    milliseconds of Redis for 1,000 events in its script."""

    seconds: float
    monitors_us: float
    redis_us: float
    script_ms: float


def measure_monitor(effort: Effort) -> str:
    """Run the benchmark. Returns: the results as Markdown."""
    lines = [
        "| measured | result |",
        "|---|---|",
        *(f"| {what} | {result} |" for what, result in _measure(effort)),
    ]
    return "\n".join(lines)


def _measure(effort: Effort) -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory(prefix="catnet-bench-") as directory:
        for replicas in (1, 2):
            with _running(Path(directory) / f"drain-{replicas}", replicas) as (client, monitors):
                drained = _drain(client, monitors, effort.backlog)
                yield f"backlog of {effort.backlog:,}, {replicas} replica(s): lag back to 0", f"{drained.seconds:.1f} s"
                yield f"events a second, {replicas} replica(s)", f"{effort.backlog / drained.seconds:,.0f}"
                yield (
                    "CPU of an event in the monitor(s) / in Redis",
                    (f"{drained.monitors_us:.0f} us / {drained.redis_us:.0f} us"),
                )
                yield "Redis, one atomic step of 1,000 events", f"{drained.script_ms:.1f} ms"
                if replicas == 1:
                    yield from _footprint(client, effort.backlog)
        with _running(Path(directory) / "reports", 1) as (client, monitors):
            _fill(client, effort.busy_hours)
            [monitor] = monitors
            monitor.start()
            monitor.wait_ready()
            wait_until(lambda: settled(client) == client.xlen(STREAM), "all is counted", 600)
            monitor.stop()
            monitor.start()
            monitor.wait_ready()
            for window in WINDOWS:
                first, rest, cpu = _report_times(monitor, client, window)
                yield (
                    f"report of {window}, first after a start / then (median, largest; CPU of the monitor)",
                    f"{first:.0f} ms / {statistics.median(rest):.1f} ms, {max(rest):.1f} ms; {cpu:.1f} ms",
                )
            delay, megabytes = asyncio.run(_listen(monitor, client, effort.listeners))
            yield f"{effort.listeners} listeners: all told of a new event within", f"{delay * 1000:.0f} ms"
            yield "resident memory with them", f"{megabytes:.0f} MB"


@contextmanager
def _running(directory: Path, replicas: int) -> Iterator[tuple[redis.Redis, list[ServiceProcess]]]:
    """A Redis, and monitors that are not started yet."""
    with ExitStack() as stack:
        server = stack.enter_context(run_redis(directory))
        client = stack.enter_context(redis.Redis.from_url(server.url, decode_responses=True))
        environment = {"REDIS_URL": server.url, "LOG_LEVEL": "warning"}
        monitors = [
            ServiceProcess("monitor", free_port(), environment, directory / f"monitor-{number}.log")
            for number in range(replicas)
        ]
        for monitor in monitors:
            stack.callback(monitor.kill)
        yield client, monitors


def _drain(client: redis.Redis, monitors: Sequence[ServiceProcess], backlog: int) -> Drained:
    drawn = events(min(DRAW, backlog))
    for start in range(0, backlog, DRAW):
        now = datetime.now(UTC)
        publish(
            client,
            [replace(event, prediction_id=_uuid7(start + i), time=now) for i, event in enumerate(drawn)],
        )
    client.config_resetstat()
    for monitor in monitors:
        monitor.start()
    wait_until(lambda: settled(client) > 0, "the first event is counted", 60)
    monitor_ids, redis_id = [monitor.pid for monitor in monitors], client.info("server")["process_id"]
    started, already = time.monotonic(), settled(client)
    before = _cpu_seconds(monitor_ids), _cpu_seconds([redis_id])
    wait_until(lambda: settled(client) >= backlog, "all is counted", 600)
    seconds = time.monotonic() - started
    of_monitors, of_redis = _cpu_seconds(monitor_ids) - before[0], _cpu_seconds([redis_id]) - before[1]
    events_seen = backlog - already
    steps = client.info("commandstats")["cmdstat_evalsha"]
    return Drained(
        seconds * backlog / events_seen,
        of_monitors / events_seen * 1e6,
        of_redis / events_seen * 1e6,
        steps["usec"] / (backlog / 1000) / 1000,
    )


def _cpu_seconds(process_ids: Sequence[int]) -> float:
    times = [psutil.Process(process_id).cpu_times() for process_id in process_ids]
    return float(sum(each.user + each.system for each in times))


def _footprint(client: redis.Redis, counted: int) -> Iterator[tuple[str, str]]:
    remembered = sum(client.memory_usage(key, samples=0) or 0 for key in client.scan_iter("catnet:counted:*"))
    yield "remembered for each prediction (24 h)", f"{remembered / counted:.0f} bytes"
    for kind in ("minute", "hour"):
        [key, *_] = client.scan_iter(f"catnet:{kind}:*")
        size = client.memory_usage(key, samples=0) or 0
        yield f"a busy {kind}, one model", f"{size / 1000:.0f} kB, {client.hlen(key)} fields"


def _fill(client: redis.Redis, hours: int) -> None:
    """Busy buckets for two of the longest windows, and for two hours of minutes."""
    now = datetime.now(UTC)
    drawn = events(400)
    for age in (*(timedelta(hours=hour) for hour in range(hours)), *(timedelta(minutes=m) for m in range(120))):
        key = round(age.total_seconds())
        publish(client, [replace(e, prediction_id=_uuid7(key * 1000 + i), time=now - age) for i, e in enumerate(drawn)])


def _report_times(monitor: ServiceProcess, client: redis.Redis, window: str) -> tuple[float, list[float], float]:
    """Milliseconds of the first report of a window, of later ones with new events between them, and of the monitor's
    CPU for one of them, counting those events included."""
    times = []
    cpu = 0.0
    with httpx.Client(base_url=monitor.url, trust_env=False, timeout=60) as http:
        for number in range(REPORTS):
            publish(client, _new_events(20, number))
            http.get("/health/live").raise_for_status()
            started = time.perf_counter()
            http.get("/report", params={"window": window, "model": MODEL}).raise_for_status()
            times.append((time.perf_counter() - started) * 1000)
            if number == 0:
                cpu = _cpu_seconds([monitor.pid])
        cpu = _cpu_seconds([monitor.pid]) - cpu
    return times[0], times[1:], cpu * 1000 / (REPORTS - 1)


async def _listen(monitor: ServiceProcess, client: redis.Redis, listeners: int) -> tuple[float, float]:
    """Returns: seconds until all listeners have a new report, megabytes of the monitor meanwhile."""
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(monitor.url, timeout=timeout, connector=connector) as session:
        arrivals: asyncio.Queue[float] = asyncio.Queue()

        async def listen() -> None:
            async with session.get("/stream", params={"window": "1h", "model": MODEL}) as answer:
                async for line in answer.content:
                    if line.startswith(b"id: "):
                        arrivals.put_nowait(time.monotonic())

        tasks = [asyncio.create_task(listen()) for _ in range(listeners)]
        for _ in range(listeners):
            await asyncio.wait_for(arrivals.get(), 60)
        started = time.monotonic()
        await asyncio.to_thread(publish, client, _new_events(1, 999))
        told = [await asyncio.wait_for(arrivals.get(), 60) for _ in range(listeners)]
        resident = _resident_megabytes(monitor.pid)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return max(told) - started, resident


def _resident_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1000


def _new_events(count: int, number: int) -> list[PredictionEvent]:
    now = datetime.now(UTC)
    drawn = events(count, seed=1000 + number)
    return [replace(e, prediction_id=_uuid7(10**9 + number * 1000 + i), time=now) for i, e in enumerate(drawn)]


def _uuid7(number: int) -> str:
    """A UUIDv7 of now whose random part is a number."""
    milliseconds = time.time_ns() // 1_000_000
    digits = f"{milliseconds:012x}7000{0x8000_0000_0000_0000 + number:016x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


if __name__ == "__main__":
    print(measure_monitor(Effort()))
