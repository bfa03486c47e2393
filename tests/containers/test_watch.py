"""docker compose watch: who saves a file has it in the running service soon, and everything still answers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from redis_server import ROOT

from tests.containers.compose import Compose, compose_project
from tests.e2e.client import Client
from tests.pictures import photo
from tests.processes import wait_until

BUILT_FROM = ("compose.yaml", ".dockerignore", "requirements", "shared", "services", "frontend", "models", "deploy")
LEFT_OUT = shutil.ignore_patterns("node_modules", "__pycache__", "*.egg-info")
MARK = "saved while it is watched"
PACKAGES = "/opt/venv/lib/python3.13/site-packages"
BUILD_SECONDS = 120.0


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the images are built from, to be written to."""
    directory = tmp_path_factory.mktemp("copy")
    for name in BUILT_FROM:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, directory / name, ignore=LEFT_OUT)
        else:
            shutil.copy(source, directory / name)
    return directory


@pytest.fixture(scope="module")
def compose(docker: str, copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    with compose_project(docker, "watch", directory=copy) as compose:
        compose.up("gateway")
        with compose.watching(tmp_path_factory.mktemp("watch") / "log"):
            yield compose


@pytest.mark.parametrize(
    ("service", "saved", "built"),
    [
        ("inference", "services/inference/inference/__init__.py", f"{PACKAGES}/inference/__init__.py"),
        ("monitor", "services/monitor/monitor/__init__.py", f"{PACKAGES}/monitor/__init__.py"),
        ("gateway", "frontend/index.html", "/catnet/frontend/index.html"),
    ],
)
def test_a_file_that_is_saved_is_soon_in_its_service(
    compose: Compose, copy: Path, service: str, saved: str, built: str
) -> None:
    def has_it() -> bool:
        return compose.status("exec", "-T", service, "grep", "--quiet", MARK, built) == 0

    assert not has_it()
    with (copy / saved).open("a") as file:
        file.write(f"# {MARK}\n")
    wait_until(has_it, f"{service} is built anew", BUILD_SECONDS)
    with Client(compose.gateway_url) as client:

        def answers() -> bool:
            try:
                return client.predict(photo()).status_code == 200
            except httpx.TransportError:  # Compose may start the gateway anew too
                return False

        wait_until(answers, "a photo is answered")
