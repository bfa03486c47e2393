"""Under load that lasts, memory and open files stay flat. The longer run is `python -m benchmarks.soak`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.soak import SAMPLES, Sample, faults, soak
from tests.processes import run_catnet

REQUESTS = 2000


def test_memory_and_open_files_stay_flat(tmp_path: Path) -> None:
    with run_catnet(tmp_path, LOG_LEVEL="warning") as catnet:
        samples = soak(catnet, REQUESTS)
    assert len(samples) == 3 * SAMPLES
    assert faults(samples) == []


def test_growth_would_be_noticed() -> None:
    leaking = [Sample("gateway", i, 50.0 + 2 * i, 20 + 10 * i) for i in range(SAMPLES)]
    too_large = [Sample("inference", i, 151.0, 30) for i in range(SAMPLES)]
    flat = [Sample("monitor", i, 100.0, 30) for i in range(SAMPLES)]
    assert faults([*flat, *leaking, *too_large]) == [
        "gateway: megabytes went from 66 to 84",
        "gateway: open_files went from 100 to 190",
        "inference: 151 megabytes, 150 are allowed",
    ]


def test_one_sample_in_five_that_is_larger_is_not_taken_for_growth() -> None:
    samples = [Sample("gateway", i, 82.0 if i % 5 == 4 else 70.0, 20) for i in range(SAMPLES)]
    assert faults(samples) == []
