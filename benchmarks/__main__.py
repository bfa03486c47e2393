"""`make bench`: run every benchmark and write what was seen to benchmarks/results.md and results-drift.md beside it."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

from redis_server import ROOT

from benchmarks.drift import Effort as DriftEffort
from benchmarks.drift import default_model_folder, measure_drift
from benchmarks.monitor import Effort as MonitorEffort
from benchmarks.monitor import measure_monitor
from benchmarks.network import measure_network
from benchmarks.overload import measure_overload
from benchmarks.predictions import measure_predictions
from training.datasets import default_folder

RESULTS = ROOT / "benchmarks" / "results.md"
DRIFT_RESULTS = ROOT / "benchmarks" / "results-drift.md"


def main() -> None:
    where = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}"
    predictions = measure_predictions()
    overload = measure_overload().table()
    network = measure_network()
    monitor = measure_monitor(MonitorEffort())
    results = (
        "# Results of `make bench`\n\n"
        f"{where}; services, Redis and load generator share the machine. [How it is measured](README.md).\n\n"
        f"## Predictions\n\n{predictions}\n\n## Overload\n\n{overload}\n\n"
        f"## Network\n\n{network}\n\n## Monitor\n\n{monitor}\n"
    )
    RESULTS.write_text(results)
    print(results)
    if not (default_folder() / "cats64").is_dir():
        print("The drift detector is not examined: its pictures are not here (DATA= names the data folder).")
        return
    drift = (
        "# The drift detector's examination\n\n"
        f"{where}. [How it is measured](README.md).\n\n"
        f"{measure_drift(default_folder(), default_model_folder(), DriftEffort())}"
    )
    DRIFT_RESULTS.write_text(drift)
    print(drift)


if __name__ == "__main__":
    main()
