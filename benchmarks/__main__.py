"""`make bench`: run every benchmark and write what was seen to benchmarks/results.md and results-drift.md beside it."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

from redis_server import ROOT

from benchmarks.drift import Effort as DriftEffort
from benchmarks.drift import write_drift_results
from benchmarks.events import Effort as EventsEffort
from benchmarks.events import measure_events
from benchmarks.monitor import Effort as MonitorEffort
from benchmarks.monitor import measure_monitor
from benchmarks.network import measure_network
from benchmarks.overload import measure_overload
from benchmarks.predictions import measure_predictions
from benchmarks.stages import measure_stages

RESULTS = ROOT / "benchmarks" / "results.md"


def main() -> None:
    where = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}"
    predictions = measure_predictions()
    stages = measure_stages()
    events = measure_events(EventsEffort())
    overload = measure_overload().table()
    network = measure_network()
    monitor = measure_monitor(MonitorEffort())
    results = (
        "# Results of `make bench`\n\n"
        f"{where}; services, Redis and load generator share the machine. [How it is measured](README.md).\n\n"
        f"## Predictions\n\n{predictions}\n\n## Stages of a prediction\n\n{stages}\n\n## Events\n\n{events}\n\n"
        f"## Overload\n\n{overload}\n\n## Network\n\n{network}\n\n## Monitor\n\n{monitor}\n"
    )
    RESULTS.write_text(results)
    print(results)
    write_drift_results(DriftEffort())


if __name__ == "__main__":
    main()
