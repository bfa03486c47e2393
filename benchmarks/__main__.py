"""`make bench`: run every benchmark and write what was seen to benchmarks/results.md."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

from redis_server import ROOT

from benchmarks.predictions import measure_predictions

RESULTS = ROOT / "benchmarks" / "results.md"


def main() -> None:
    table = measure_predictions()
    RESULTS.write_text(
        "# Results of `make bench`\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}; services, Redis and"
        " load generator share the machine. [How it is measured](README.md).\n\n"
        f"## Predictions\n\n{table}\n"
    )
    print(table)


if __name__ == "__main__":
    main()
