"""How long one prediction takes and how many a second go through, beside the one-process baseline in the same run.

Both run on this machine with the load generator; rounds alternate between them, and each figure is the median over the
rounds, a ratio that of the rounds' own ratios, so that a noisy neighbour hits both alike. Times are only meaningful as
ratios; milliseconds are shown to judge whether a person would notice. Neither logs its requests. What the default
network and the hop through the gateway cost is shown apart.

By itself: ``PYTHONPATH=deploy/local python -m benchmarks.predictions``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from preflight import free_port
from redis_server import ROOT

from benchmarks.load import LoadResult, run_load
from benchmarks.photos import drawn_photo, encoded
from tests.processes import Catnet, run_catnet, wait_until

ROUNDS = 5
ROUND_SECONDS = 3
MODEL = "catnet-mlp"
"""The network that the baseline runs too."""
DEFAULT_MODEL = "catnet"


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    photo: bytes
    connections: tuple[int, ...] = (1, 8, 64)


def measure_predictions() -> str:
    """Run the benchmark. Returns: the results as Markdown. Raises: LoadFailed."""
    cases = [
        Case("640x480 JPEG", encoded(drawn_photo(640, 480), "JPEG")),
        Case("64x64 JPEG", encoded(drawn_photo(64, 64), "JPEG")),
        Case("4000x3000 JPEG", encoded(drawn_photo(4000, 3000), "JPEG"), connections=(8,)),
        Case("640x480 PNG", encoded(drawn_photo(640, 480), "PNG"), connections=(8,)),
    ]
    with (
        tempfile.TemporaryDirectory(prefix="catnet-bench-") as directory,
        run_catnet(Path(directory), LOG_LEVEL="warning") as catnet,
        run_baseline(Path(directory)) as baseline,
    ):
        urls = {"catnet": f"{catnet.gateway_url}/predict?model={MODEL}", "baseline": f"{baseline}/predict"}
        results = {case.name: _alternate(urls, case) for case in cases}
        hop = _hop_table(catnet, cases[0])
        memory = {service.name: _resident_megabytes(service.pid) for service in catnet.services}
    return "\n".join([*_latency_table(results), "", *hop, "", *_memory_table(memory)])


@contextmanager
def run_baseline(directory: Path) -> Iterator[str]:
    """The baseline on a free port, ready. Yields: its address."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.baseline.app:create_app", "--port", str(port)]
    with (directory / "baseline.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [*command, "--log-level", "warning"], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(f"{url}/metrics"), "the baseline answers")
        yield url
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _alternate(urls: dict[str, str], case: Case) -> dict[int, dict[str, list[LoadResult]]]:
    """Results by connections, then by what was measured, one a round."""
    results: dict[int, dict[str, list[LoadResult]]] = {}
    for connections in case.connections:
        rounds: dict[str, list[LoadResult]] = {name: [] for name in urls}
        for _ in range(ROUNDS):
            for name, url in urls.items():
                rounds[name].append(run_load(url, case.photo, connections=connections, seconds=ROUND_SECONDS))
        results[connections] = rounds
    return results


def _hop_table(catnet: Catnet, case: Case) -> list[str]:
    """One connection: the answer of each network from inference itself, and what asking through the gateway adds."""
    lines = ["| network, 1 connection | inference's P50 ms | through the gateway | the hop |", "|---|---|---|---|"]
    for model in (MODEL, DEFAULT_MODEL):
        direct: list[float] = []
        through: list[float] = []
        for _ in range(ROUNDS):
            for address, is_gateway, p50 in (
                (catnet.inference_url, False, direct),
                (catnet.gateway_url, True, through),
            ):
                url = f"{address}/predict?model={model}"
                result = run_load(url, case.photo, connections=1, seconds=ROUND_SECONDS, as_form=is_gateway)
                p50.append(result.percentile_ms(50))
        inference, whole = _median(direct), _median(through)
        lines.append(f"| {model}, {case.name} | {inference:.1f} | {whole:.1f} | {whole - inference:.1f} |")
    return lines


def _latency_table(results: dict[str, dict[int, dict[str, list[LoadResult]]]]) -> list[str]:
    lines = [
        "| photo | connections | P50 ms | P95 ms | P99 ms | requests/s | baseline P50 ms | requests/s x | P50 x |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for photo, by_connections in results.items():
        for connections, rounds in by_connections.items():
            ours, theirs = rounds["catnet"], rounds["baseline"]
            pairs = list(zip(ours, theirs, strict=True))
            throughput = _median(our.requests_per_second / their.requests_per_second for our, their in pairs)
            latency = _median(our.percentile_ms(50) / their.percentile_ms(50) for our, their in pairs)
            percentiles = [_median(r.percentile_ms(p) for r in ours) for p in (50, 95, 99)]
            p50 = _median(r.percentile_ms(50) for r in theirs)
            lines.append(
                f"| {photo} | {connections} | "
                + " | ".join(f"{value:.1f}" for value in percentiles)
                + f" | {_median(r.requests_per_second for r in ours):.0f}"
                + f" | {p50:.1f} | x{throughput:.2f} | x{latency:.2f} |"
            )
    return lines


def _memory_table(memory: dict[str, float]) -> list[str]:
    cells = " | ".join(f"{name} {megabytes:.0f} MB" for name, megabytes in memory.items())
    return ["Resident memory after the load: " + cells.replace(" | ", ", ") + "."]


def _resident_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kilobytes) / 1000


def _median(values: Iterator[float] | Sequence[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    print(measure_predictions())
