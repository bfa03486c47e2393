"""What keeps the gateway from starting is said in one line, and the exit status is not 0."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from gateway.settings import Settings
from servicekit.settings import read_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INFERENCE_URL", "ftp://127.0.0.1"),
        ("MONITOR_URL", "127.0.0.1:8082"),
        ("MAX_UPLOAD_BYTES", "10M"),
        ("REQUEST_TIMEOUT_SECONDS", "0"),
        ("INFERENCE_CONNECTIONS", "-1"),
    ],
)
def test_a_wrong_setting_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stop:
        read_settings(Settings)
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith(f"{name}='{value}' is not allowed: ")
    assert message.count("\n") == 1


def test_a_missing_page_stops_the_start(frontend_dir: Path) -> None:
    (frontend_dir / "dashboard.html").unlink()
    ended = subprocess.run(
        [sys.executable, "-m", "gateway"],
        env={**os.environ, "FRONTEND_DIR": str(frontend_dir), "PORT": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"FRONTEND_DIR='{frontend_dir}' holds no dashboard.html")
    assert ended.stderr.count("\n") == 1
