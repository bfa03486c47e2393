"""`make bench`: run every benchmark and write what was seen to benchmarks/results.md."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

from redis_server import ROOT

from benchmarks.network import measure_network
from benchmarks.predictions import measure_predictions

RESULTS = ROOT / "benchmarks" / "results.md"


def main() -> None:
    table = measure_predictions()
    network = measure_network()
    RESULTS.write_text(
        "# Results of `make bench`\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}; services, Redis and"
        " load generator share the machine. [How it is measured](README.md).\n\n"
        f"## Predictions\n\n{table}\n\n## Network\n\n{network}\n"
    )
    print(f"{table}\n\n{network}")


if __name__ == "__main__":
    main()
