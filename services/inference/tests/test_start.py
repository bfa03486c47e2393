"""``python -m inference`` says in one line what keeps it from starting, and an early SIGHUP does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.inference.tests.conftest import MakeModel


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inference"],
        env={**os.environ, "HOST": "127.0.0.1", "PORT": "1", **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"REDIS_URL": "http://127.0.0.1"}, "REDIS_URL='http://127.0.0.1' is not allowed"),
        ({"REDIS_URL": "redis://user:secret@host:port"}, "REDIS_URL='redis://***@host:port' is not allowed"),
        ({"WORKER_THREADS": "0"}, "WORKER_THREADS='0' is not allowed"),
        ({"MODELS_DIR": "/nowhere"}, "MODELS_DIR='/nowhere'"),
        ({"DEFAULT_MODEL": "dognet"}, "DEFAULT_MODEL='dognet'"),
    ],
)
def test_a_wrong_setting_stops_the_start(
    models_dir: Path, make_model: MakeModel, environment: dict[str, str], named: str
) -> None:
    make_model()
    ended = start(**{"MODELS_DIR": str(models_dir), **environment})
    assert ended.returncode == 2
    assert ended.stderr.startswith(named)
    assert ended.stderr.count("\n") == 1
    assert "secret" not in ended.stderr


def test_a_damaged_model_stops_the_start(models_dir: Path, make_model: MakeModel) -> None:
    (make_model() / "model.safetensors").write_bytes(b"damaged")
    ended = start(MODELS_DIR=str(models_dir))
    assert ended.returncode == 2
    assert "model.safetensors: SHA-256" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_hangup_while_it_is_loaded_does_not_end_it(tmp_path: Path) -> None:
    (tmp_path / "servicekit.py").write_text(  # stands for the first import that takes time
        "import os, signal\nos.kill(os.getpid(), signal.SIGHUP)\nraise SystemExit('still there')"
    )
    ended = start(PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    assert ended.stderr == "still there\n"
