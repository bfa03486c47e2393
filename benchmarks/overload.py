"""`python -m benchmarks.overload`: what becomes of requests at four times the load that can be carried?

First a closed loop finds how many requests a second are carried; then an open loop sends four times as many. Who is let
in should be answered within a second, everybody else be told within 50 ms to come back, and nothing else should happen.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from benchmarks.load import run_load
from benchmarks.open_loop import OpenLoopResult, send_open_loop
from benchmarks.photos import drawn_photo, encoded
from tests.processes import run_catnet

TIMES = 4.0
SECONDS = 10.0
CARRIED_CONNECTIONS = 16
CARRIED_SECONDS = 5

ACCEPTED_P99_SECONDS = 1.0
REFUSED_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Overload:
    """``carried``: requests a second that were answered in the closed loop."""

    carried: float
    result: OpenLoopResult

    def faults(self) -> list[str]:
        """What should not have happened, in words; empty where nothing did."""
        accepted, refused = self._latencies("200"), self._latencies("429")
        found = [f"{len(times)} were answered {status}" for status, times in self._others()]
        if self.result.unanswered:
            found.append(f"{self.result.unanswered} were not answered")
        if not len(accepted) or _p99(accepted) > ACCEPTED_P99_SECONDS:
            found.append(f"P99 of those let in is {_p99(accepted):.2f} s")
        if len(refused) and _p99(refused) > REFUSED_SECONDS:
            found.append(f"P99 of those refused is {_p99(refused) * 1000:.0f} ms")
        return found

    def table(self) -> str:
        """The results as Markdown."""
        lines = [
            f"{self.carried:.0f} requests a second are carried, {self.result.sent / self.result.seconds:.0f} are sent. "
            f"The generator was late by {_p99(np.array(self.result.lateness)) * 1000:.1f} ms (P99).",
            "",
            "| answer | share | P50 ms | P99 ms | longest ms |",
            "|---|---|---|---|---|",
        ]
        for status, latencies in sorted(self.result.latencies.items()):
            times = np.array(latencies) * 1000
            lines.append(
                f"| {status} | {len(times) / self.result.sent:.1%} | {np.percentile(times, 50):.1f} "
                f"| {np.percentile(times, 99):.1f} | {times.max():.1f} |"
            )
        lines.append(f"| none | {self.result.unanswered / self.result.sent:.1%} | | | |")
        return "\n".join(lines)

    def _latencies(self, status: str) -> np.ndarray:
        return np.array(self.result.latencies.get(status, []))

    def _others(self) -> list[tuple[str, list[float]]]:
        return [(status, times) for status, times in self.result.latencies.items() if status not in ("200", "429")]


def _p99(times: np.ndarray) -> float:
    return float(np.percentile(times, 99)) if len(times) else float("nan")


def measure_overload() -> Overload:
    photo = encoded(drawn_photo(640, 480), "JPEG")
    with (
        tempfile.TemporaryDirectory(prefix="catnet-overload-") as directory,
        run_catnet(Path(directory), LOG_LEVEL="warning") as catnet,
    ):
        carried = run_load(
            f"{catnet.gateway_url}/predict", photo, connections=CARRIED_CONNECTIONS, seconds=CARRIED_SECONDS
        ).requests_per_second
        address = urlsplit(catnet.gateway_url)
        result = send_open_loop(
            address.hostname or "", address.port or 0, "/predict", photo, rate=TIMES * carried, seconds=SECONDS
        )
    return Overload(carried, result)


def main() -> int:
    overload = measure_overload()
    print(overload.table())
    found = overload.faults()
    print(*found, sep="\n", file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
