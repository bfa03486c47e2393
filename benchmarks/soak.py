"""`python -m benchmarks.soak --requests 100000`: do memory and open files stay flat under load that lasts?

Photos of several formats and sizes, and broken ones, go through the gateway over a fixed number of connections; after
every twentieth of the requests the resident memory and the open files of each service are read, once it is at rest: the
last photos are given back some milliseconds after their answers.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import aiohttp
import psutil

from benchmarks.photos import drawn_photo, encoded
from tests.processes import Catnet, run_catnet

CONNECTIONS = 16
SAMPLES = 20
WARM_UP_SAMPLES = 6
"""The first samples, in which what is loaded once and kept is still being loaded."""
COMPARED_SAMPLES = 5
"""From each end of the rest, of which the median counts: one sample more or less among large photos says nothing."""

READING_SECONDS = 0.02
MOST_READINGS = 20

MOST_MEGABYTES = {"gateway": 90.0, "inference": 150.0}
GROWTH_MEGABYTES = 10.0
MORE_FILES = 2 * CONNECTIONS
EXPECTED = {200, 415, 422}


@dataclass(frozen=True, slots=True)
class Sample:
    """One service at one moment. Units: megabytes of 10^6 bytes, resident."""

    service: str
    requests: int
    megabytes: float
    open_files: int


def soak(catnet: Catnet, requests: int) -> list[Sample]:
    """Send so many requests. Raises: RuntimeError if one is answered as it should not be."""
    return asyncio.run(_soak(catnet, requests))


def faults(samples: Sequence[Sample]) -> list[str]:
    """What has grown since the warm-up, or is more than a service may take, in words; empty where nothing is."""
    found = []
    for service in {sample.service for sample in samples}:
        own = [sample for sample in samples if sample.service == service]
        first, last = own[WARM_UP_SAMPLES:][:COMPARED_SAMPLES], own[-COMPARED_SAMPLES:]
        for kind, most in (("megabytes", GROWTH_MEGABYTES), ("open_files", MORE_FILES)):
            before, after = (median(getattr(sample, kind) for sample in part) for part in (first, last))
            if after - before > most:
                found.append(f"{service}: {kind} went from {before:.0f} to {after:.0f}")
        megabytes = median(sample.megabytes for sample in last)
        if megabytes > MOST_MEGABYTES.get(service, megabytes):
            found.append(f"{service}: {megabytes:.0f} megabytes, {MOST_MEGABYTES[service]:.0f} are allowed")
    return sorted(found)


async def _soak(catnet: Catnet, requests: int) -> list[Sample]:
    images = cycle(_images())
    samples = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:
        for sample in range(1, SAMPLES + 1):
            statuses = await _ask(session, f"{catnet.gateway_url}/predict", islice(images, requests // SAMPLES))
            if not set(statuses) <= EXPECTED:
                raise RuntimeError(f"answered {dict(statuses)}")
            samples += [
                await _at_rest(service.name, service.pid, sample * requests // SAMPLES) for service in catnet.services
            ]
    return samples


async def _ask(session: aiohttp.ClientSession, url: str, images: Iterator[bytes]) -> Counter[int]:
    statuses: Counter[int] = Counter()

    async def connection() -> None:
        for image in images:
            async with session.post(
                url, data=io.BytesIO(image), headers={"Content-Type": "application/octet-stream"}
            ) as answer:
                await answer.read()
                statuses[answer.status] += 1

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return statuses


async def _at_rest(service: str, pid: int, requests: int) -> Sample:
    """Measure until a reading is not smaller than the one before."""
    sample = _measure(service, pid, requests)
    for _ in range(MOST_READINGS):
        before = sample
        await asyncio.sleep(READING_SECONDS)
        sample = _measure(service, pid, requests)
        if sample.megabytes >= before.megabytes:
            return before
    return sample


def _measure(service: str, pid: int, requests: int) -> Sample:
    process = psutil.Process(pid)
    return Sample(service, requests, process.memory_info().rss / 1e6, process.num_fds())


def _images() -> list[bytes]:
    """Mostly what people send; one in twenty has 12 megapixels, one in ten is no image or half of one."""
    usual = [encoded(drawn_photo(640, 480, seed=seed), image_format) for seed, image_format in enumerate(
        ["JPEG"] * 6 + ["PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])]  # fmt: skip
    small = [encoded(drawn_photo(64, 64, seed=seed), "JPEG") for seed in range(5)]
    return [*usual, *small, encoded(drawn_photo(4000, 3000), "JPEG"), usual[0][: len(usual[0]) // 2], b"no image" * 50]


def main() -> int:
    parser = argparse.ArgumentParser(description="Show that memory and open files stay flat.")
    parser.add_argument("--requests", type=int, default=100_000)
    requests = parser.parse_args().requests
    with (
        tempfile.TemporaryDirectory(prefix="catnet-soak-") as directory,
        run_catnet(Path(directory), LOG_LEVEL="warning") as catnet,
    ):
        samples = soak(catnet, requests)
    print("| service | requests | MB | open files |\n|---|---|---|---|")
    for sample in sorted(samples, key=lambda sample: sample.service):
        print(f"| {sample.service} | {sample.requests} | {sample.megabytes:.1f} | {sample.open_files} |")
    found = faults(samples)
    print(*found, sep="\n", file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
