"""What keeps the gateway from starting is said in one line, and the exit status is not 0."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from gateway.settings import GatewaySettings
from servicekit.settings import read_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INFERENCE_URL", "ftp://127.0.0.1"),
        ("MONITOR_URL", "127.0.0.1:8082"),
        ("METADATA_URL", "metadata.google.internal"),
        ("MAX_UPLOAD_BYTES", "10M"),
        ("REQUEST_TIMEOUT_SECONDS", "0"),
        ("MAX_IN_FLIGHT", "0"),
        ("MAX_UPLOADS_BYTES", "1"),
        ("MAX_QUEUE", "-1"),
        ("TRUSTED_PROXIES", "10.0.0.0/33"),
    ],
)
def test_a_wrong_setting_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stop:
        read_settings(GatewaySettings)
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith(f"{name}='{value}' is not allowed: ")
    assert message.count("\n") == 1


@pytest.mark.parametrize("per_minute", ["0", "60"])
def test_the_address_of_redis_matters_only_with_a_rate_limit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], per_minute: str
) -> None:
    monkeypatch.setenv("REDIS_URL", "http://127.0.0.1")
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", per_minute)
    if per_minute == "0":
        read_settings(GatewaySettings)
        return
    with pytest.raises(SystemExit):
        read_settings(GatewaySettings)
    assert capsys.readouterr().err.startswith("REDIS_URL='http://127.0.0.1' is not allowed: ")


def test_lists_are_separated_by_commas_and_keys_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEYS", " first-key,second-key, ")
    monkeypatch.setenv("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8")
    settings = read_settings(GatewaySettings)
    assert [key.get_secret_value() for key in settings.api_keys] == ["first-key", "second-key"]
    assert [str(proxy) for proxy in settings.trusted_proxies] == ["127.0.0.1/32", "10.0.0.0/8"]
    assert "first-key" not in repr(settings)


@pytest.mark.parametrize("key", ["schlüssel", "a\tb"])
def test_a_key_that_clients_cannot_send_alike_stops_the_start_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    monkeypatch.setenv("API_KEYS", f"first-key,{key}")
    with pytest.raises(SystemExit) as stop:
        read_settings(GatewaySettings)
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("API_KEYS='**********' is not allowed: ")
    assert message.endswith("a key must be of printable ASCII characters\n")
    assert key not in message and "first-key" not in message


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
