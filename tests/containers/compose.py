"""One docker compose project for the tests: up, questions about its containers, down without a trace."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from preflight import free_port
from redis_server import ROOT

from tests.processes import wait_until

UP = ("up", "--build", "--wait", "--wait-timeout", "180")
UP_SECONDS = 600
LABEL = "com.docker.compose.project"


class Compose:
    """A compose.yaml, the repository's or a copy's, under a project name of its own, so that it meets no other."""

    def __init__(self, docker: str, project: str, environment: Mapping[str, str], directory: Path = ROOT) -> None:
        port, prometheus_port = free_port(), free_port()
        self._docker = docker
        self._directory = directory
        self.project = project
        self.port = port
        self.gateway_url = f"http://127.0.0.1:{port}"
        self.prometheus_url = f"http://127.0.0.1:{prometheus_port}"
        self._environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": project,
            "COMPOSE_PROFILES": "observability,load",  # so that down removes whatever was started
            "PORT": str(port),
            "PROMETHEUS_PORT": str(prometheus_port),
            "REVISION": "tested",
            **environment,
        }

    def run(self, *words: str, seconds: float = 120) -> str:
        """docker compose WORDS. Returns: what it prints. Raises: AssertionError with its errors when it fails."""
        done = self._run(*words, seconds=seconds)
        assert done.returncode == 0, f"docker compose {' '.join(words)}: {done.stderr[-4000:]}"
        return done.stdout

    def up(self, *words: str) -> None:
        """docker compose up, with further WORDS: options, and the services that are wanted if not all."""
        try:
            self.run(*UP, *words, seconds=UP_SECONDS)
        except AssertionError as error:
            error.add_note(self.run("logs", "--no-color", "--tail", "50"))
            raise

    def up_in_vain(self, *words: str) -> str:
        """The same where it has to fail. Returns: the errors that it prints."""
        done = self._run(*UP, *words, seconds=UP_SECONDS)
        assert done.returncode != 0, f"docker compose up {' '.join(words)} succeeded"
        return done.stderr

    def status(self, *words: str) -> int:
        """Exit status of docker compose WORDS."""
        return self._run(*words, seconds=120).returncode

    def log(self, service: str) -> str:
        return self.run("logs", "--no-color", "--no-log-prefix", service)

    @contextmanager
    def watching(self, log: Path) -> Iterator[None]:
        """docker compose watch beside the block, from when it watches."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                [self._docker, "compose", "watch", "--no-up"],
                cwd=self._directory,
                env={**self._environment, "COMPOSE_PROFILES": ""},  # nor does it get the images of profiles
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_until(lambda: "watch enabled" in log.read_text().lower(), "compose watches")
            yield
        finally:
            process.terminate()
            process.wait(20)

    def down(self) -> None:
        self.run("down", "--volumes", "--rmi", "local", "--timeout", "20")

    def inspect(self, service: str) -> dict[str, Any]:
        container = self.run("ps", "--all", "--quiet", service).strip()
        return dict(json.loads(self._ask("inspect", container))[0])

    def containers(self, service: str) -> list[str]:
        """Names of the service's running containers."""
        return [json.loads(line)["Name"] for line in self.run("ps", "--format", "json", service).splitlines()]

    def memory_mebibytes(self, services: Iterable[str]) -> dict[str, float]:
        """What each service's one container takes now, as the engine says: without the files that it only caches."""
        services = list(services)
        names = [name for service in services for name in self.containers(service)]
        used = self._ask("stats", "--no-stream", "--format", "{{.MemUsage}}", *names).splitlines()
        return {service: _mebibytes(each.partition(" / ")[0]) for service, each in zip(services, used, strict=True)}

    def restart_container(self, name: str) -> None:
        self._ask("restart", "--time", "20", name)

    def kill_container(self, name: str) -> None:
        """SIGKILL: it has no time for a last word. Nor is it started again."""
        self._ask("kill", name)

    def left(self) -> list[str]:
        """Containers, volumes and networks of this project."""
        questions = (("ps", "--all"), ("volume", "ls"), ("network", "ls"))
        return [
            name
            for words in questions
            for name in self._ask(*words, "--quiet", "--filter", f"label={LABEL}={self.project}").split()
        ]

    def own_image_bytes(self, service: str) -> int:
        """What the service's image adds to its base: all since the first instruction of its last stage."""
        words = ("history", "--human=false", "--no-trunc", "--format", "{{.Size}} {{.CreatedBy}}")
        history = self._ask(*words, f"{self.project}-{service}").splitlines()
        first = next(number for number, line in enumerate(history) if "WORKDIR /catnet" in line)
        return sum(int(line.split()[0]) for line in history[: first + 1])

    def make_volume_of_root(self, name: str) -> None:
        """The project's volume as it must not be: with something in it, and writable by root alone."""
        volume = f"{self.project}_{name}"
        labels = (f"--label={LABEL}={self.project}", f"--label=com.docker.compose.volume={name}")
        self._ask("volume", "create", *labels, volume)
        spoil = "touch /data/kept && chown 0:0 /data && chmod 755 /data"
        self._ask("run", "--rm", "--user=0", f"--volume={volume}:/data", "python:3.13-slim", "sh", "-c", spoil)

    def open_networks(self) -> list[str]:
        """Names of the project's networks that lead outside."""
        label = f"label={LABEL}={self.project}"
        networks = self._ask("network", "ls", "--quiet", "--filter", label).split()
        return [each["Name"] for each in json.loads(self._ask("network", "inspect", *networks)) if not each["Internal"]]

    def _run(self, *words: str, seconds: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._docker, "compose", *words],
            cwd=self._directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    def _ask(self, *words: str) -> str:
        return subprocess.run([self._docker, *words], capture_output=True, text=True, timeout=60, check=True).stdout


def _mebibytes(words: str) -> float:
    """Of a size as the engine writes it: 38.89MiB, 1.25GiB."""
    number, unit = re.fullmatch(r"([\d.]+)(KiB|MiB|GiB)", words).groups()  # type: ignore[union-attr]
    return float(number) * {"KiB": 2**-10, "MiB": 1, "GiB": 2**10}[unit]


@contextmanager
def compose_project(
    docker: str, name: str, overrides: Path | None = None, *, directory: Path = ROOT, **environment: str
) -> Iterator[Compose]:
    """A project on free ports, of which nothing is started; gone without a trace at the end.

    ``overrides``: a second compose file, read after the repository's. ``directory``: a copy of the repository.
    """
    if overrides:
        environment["COMPOSE_FILE"] = os.pathsep.join(["compose.yaml", str(overrides)])
    compose = Compose(docker, f"catnet-{name}-{os.getpid()}", environment, directory)
    try:
        yield compose
    finally:
        compose.down()
    assert compose.left() == []
