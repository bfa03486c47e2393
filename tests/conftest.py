"""What the tests of the whole share: a Redis, the running services, the tools of the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis_server import ROOT, RedisServer

from tests.processes import Catnet, run_catnet, run_redis
from tests.tools import missing


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A private Redis for one test."""
    with run_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture(scope="session")
def running_catnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catnet]:
    """Redis and the three services, shared by all tests that leave them as they found them."""
    with run_catnet(tmp_path_factory.mktemp("catnet")) as catnet:
        yield catnet


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium or Chrome."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return found or missing("Chromium", "apt install chromium")


@pytest.fixture(scope="session")
def promtool() -> str:
    """Path of Prometheus's checker of rules and configurations."""
    return shutil.which("promtool") or missing("promtool", "apt install prometheus")


@pytest.fixture(scope="session")
def docker() -> str:
    """Path of a docker client whose engine and Compose answer."""
    docker = shutil.which("docker")
    questions = (["info"], ["compose", "version"])
    if docker and not any(
        subprocess.run([docker, *words], capture_output=True, timeout=60).returncode for words in questions
    ):
        return docker
    return missing("a Docker engine with Compose", "https://docs.docker.com/engine/install/")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of the training data, which cannot be shipped with the code; without it, even CI skips."""
    folder = Path(os.environ.get("DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here (DATA= names the data folder)")
    return folder
