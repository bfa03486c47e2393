"""The load generator: a fixed number of connections, each asking again as soon as it is answered (closed loop).

It is wrk, which takes a tenth of the processor time that a client in Python takes from the services beside it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REQUEST_TIMEOUT_SECONDS = 30
WARM_UP_SECONDS = 1
BOUNDARY = "catnet-benchmark-boundary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
_SCRIPT = Path(__file__).with_name("post.lua")


class LoadFailed(Exception):
    """wrk is not there, or an answer was not 200."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """Units: latencies in seconds, by percentile (50, 95, 99)."""

    requests_per_second: float
    latency_seconds: Mapping[int, float]

    def percentile_ms(self, percentile: int) -> float:
        return self.latency_seconds[percentile] * 1000


def run_load(url: str, photo: bytes, *, connections: int, seconds: int, as_form: bool = True) -> LoadResult:
    """Post a photo to ``url``, as a browser's form or bare, for so long, after a warm-up that is not counted.

    Raises: LoadFailed.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise LoadFailed("The benchmarks send their requests with wrk: install it (Debian, Ubuntu, Homebrew: wrk).")
    body, media_type = (form(photo), FORM) if as_form else (photo, "application/octet-stream")
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        environment = {**os.environ, "BODY": file.name, "MEDIA_TYPE": media_type}
        command = [wrk, "--threads=1", f"--connections={connections}", f"--timeout={REQUEST_TIMEOUT_SECONDS}s"]
        for duration in (WARM_UP_SECONDS, seconds):
            output = subprocess.run(  # noqa: S603 - a benchmark tool on our own address
                [*command, f"--duration={duration}s", f"--script={_SCRIPT}", url],
                env=environment,
                check=True,
                capture_output=True,
                text=True,
                timeout=duration + 2 * REQUEST_TIMEOUT_SECONDS,
            ).stdout
    seen = json.loads(output.splitlines()[-1])
    if seen["refused"] or seen["broken"]:
        raise LoadFailed(f"{url}: {seen['refused']} of {seen['answers']} answers not 200, {seen['broken']} broken off")
    latencies = {int(percentile): latency for percentile, latency in seen["latency_seconds"].items()}
    return LoadResult(seen["answers"] / seen["seconds"], latencies)


def form(photo: bytes) -> bytes:
    """The multipart body, made once: building it is not what is measured."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="photo"\r\n\r\n'
    return head.encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()
