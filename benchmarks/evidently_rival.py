"""Asks Evidently, in an environment of its own, so that the project never depends on it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from redis_server import ROOT

from benchmarks.drift_features import Table

ENVIRONMENT = ROOT / ".cache" / "evidently"
REQUIREMENTS = ROOT / "benchmarks" / "evidently-requirements.txt"
INSTALL_SECONDS = 600
VERDICT_SECONDS = 3600


class EvidentlyMissing(Exception):
    """It could not be installed; the message says why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    columns: int
    is_drift: bool


def verdicts(reference: Table, windows: Mapping[str, Table]) -> dict[str, Verdict]:
    """What Evidently says of each window. Raises: EvidentlyMissing."""
    python = _install()
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(file, reference=reference, **windows)  # type: ignore[arg-type] # its stub takes the names for options
        file.flush()
        done = subprocess.run(  # noqa: S603 - our own script
            [python, str(ROOT / "benchmarks" / "evidently_verdicts.py"), file.name],
            capture_output=True,
            text=True,
            timeout=VERDICT_SECONDS,
        )
    if done.returncode:
        raise EvidentlyMissing(done.stderr.strip().rpartition("\n")[2])
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {each["window"]: Verdict(int(each["columns"]), bool(each["drift"])) for each in said}


def _install() -> Path:
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        for command in (
            [sys.executable, "-m", "venv", str(ENVIRONMENT)],
            [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(REQUIREMENTS)],
        ):
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)  # noqa: S603
            if done.returncode:
                python.unlink(missing_ok=True)
                raise EvidentlyMissing("it could not be installed here")
    return python
