"""A program that knows nothing but the gateway's own description finds no answer that the description denies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from redis_server import ROOT

from tests.processes import Catnet

SECONDS = 30


def test_it_finds_nothing(running_catnet: Catnet, tmp_path: Path) -> None:
    ended = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(ROOT / "schemathesis.toml"),
            "run", f"{running_catnet.gateway_url}/openapi.json",
            "--max-time", str(SECONDS), "--max-examples", "10", "--request-timeout", "10", "--seed", "1",
        ],
        cwd=tmp_path,
        env={**os.environ, "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=4 * SECONDS,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert all(service.is_running() for service in running_catnet.services)
