"""One docker compose project for the tests: up, questions about its containers, down without a trace."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from redis_server import ROOT

UP_SECONDS = 600
LABEL = "com.docker.compose.project"


class Compose:
    """The repository's compose.yaml under a project name of its own, so that it meets no other."""

    def __init__(self, docker: str, project: str, port: int, prometheus_port: int) -> None:
        self._docker = docker
        self.project = project
        self.gateway_url = f"http://127.0.0.1:{port}"
        self.prometheus_url = f"http://127.0.0.1:{prometheus_port}"
        self._environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": project,
            "COMPOSE_PROFILES": "observability,load",  # so that down removes whatever was started
            "PORT": str(port),
            "PROMETHEUS_PORT": str(prometheus_port),
            "REVISION": "tested",
        }

    def run(self, *words: str, seconds: float = 120) -> str:
        """docker compose WORDS. Returns: what it prints. Raises: AssertionError with its errors when it fails."""
        done = subprocess.run(
            [self._docker, "compose", *words],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert done.returncode == 0, f"docker compose {' '.join(words)}: {done.stderr[-4000:]}"
        return done.stdout

    def up(self, *words: str) -> None:
        """docker compose up, with further WORDS: options, and the services that are wanted if not all."""
        try:
            self.run("up", "--build", "--wait", "--wait-timeout", "180", *words, seconds=UP_SECONDS)
        except AssertionError as error:
            error.add_note(self.run("logs", "--no-color", "--tail", "50"))
            raise

    def down(self) -> None:
        self.run("down", "--volumes", "--rmi", "local", "--timeout", "20")

    def inspect(self, service: str) -> dict[str, Any]:
        container = self.run("ps", "--all", "--quiet", service).strip()
        return dict(json.loads(self._ask("inspect", container))[0])

    def containers(self, service: str) -> list[str]:
        """Names of the service's running containers."""
        return [json.loads(line)["Name"] for line in self.run("ps", "--format", "json", service).splitlines()]

    def restart_container(self, name: str) -> None:
        self._ask("restart", "--time", "20", name)

    def left(self) -> list[str]:
        """Containers, volumes and networks of this project."""
        questions = (("ps", "--all"), ("volume", "ls"), ("network", "ls"))
        return [
            name
            for words in questions
            for name in self._ask(*words, "--quiet", "--filter", f"label={LABEL}={self.project}").split()
        ]

    def _ask(self, *words: str) -> str:
        return subprocess.run([self._docker, *words], capture_output=True, text=True, timeout=60, check=True).stdout
