"""The one container that runs everything: ready, counting, and ended in order, with no right that it does not need."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import httpx
import pytest
from preflight import free_port
from redis_server import ROOT

from tests.e2e.client import Client
from tests.pictures import photo
from tests.processes import wait_until

IMAGE = f"catnet-single-test-{os.getpid()}"
RIGHTS = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=512m")


def ask(docker: str, *words: str, seconds: float = 60) -> str:
    done = subprocess.run([docker, *words], cwd=ROOT, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr[-4000:]}"
    return done.stdout.strip()


@pytest.fixture
def container(docker: str) -> Iterator[tuple[str, str]]:
    """Its name and its URL."""
    port = free_port()
    try:
        ask(docker, "build", "--quiet", "--file=deploy/single/Dockerfile", f"--tag={IMAGE}", ".", seconds=600)
        ask(docker, "run", "--detach", *RIGHTS, f"--publish=127.0.0.1:{port}:8080", f"--name={IMAGE}", IMAGE)
        yield IMAGE, f"http://127.0.0.1:{port}"
    finally:
        for words in (("rm", "--force", IMAGE), ("rmi", IMAGE)):
            subprocess.run([docker, *words], capture_output=True, timeout=60)


def test_it_predicts_counts_and_ends_in_order(docker: str, container: tuple[str, str]) -> None:
    name, url = container

    def is_ready() -> bool:
        try:
            return httpx.get(f"{url}/health/ready", timeout=2, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    wait_until(is_ready, "the container is ready")
    with Client(url) as client:
        assert client.predict(photo()).status_code == 200
        client.wait_for_total(1)
        assert client.total() == 1
    ask(docker, "stop", "--time=30", name)
    assert ask(docker, "inspect", "--format={{.State.ExitCode}} {{.State.OOMKilled}}", name) == "0 false"
