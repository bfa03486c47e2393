"""Under load that lasts, memory and open files stay flat. The longer run is `python -m benchmarks.soak`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.soak import Sample, faults, soak
from tests.processes import run_catnet

REQUESTS = 2000


def test_memory_and_open_files_stay_flat(tmp_path: Path) -> None:
    with run_catnet(tmp_path, LOG_LEVEL="warning") as catnet:
        samples = soak(catnet, REQUESTS)
    assert len(samples) == 30
    assert faults(samples) == []


def test_growth_would_be_noticed() -> None:
    leaking = [Sample("gateway", i, 50.0 + 5 * i, 20 + 20 * i) for i in range(10)]
    flat = [Sample("inference", i, 100.0, 30) for i in range(10)]
    assert len(faults([*leaking, *flat])) == 2
