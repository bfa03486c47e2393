"""A Prometheus of a test's own: the repository's configuration and rules, with addresses in place of DNS names."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from preflight import free_port
from redis_server import ROOT

from tests.processes import wait_until

CONFIGURATION = ROOT / "deploy" / "prometheus" / "prometheus.yml"


class Prometheus:
    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer of the HTTP API. Raises: AssertionError, with what Prometheus says, on an error."""
        response = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=10, trust_env=False)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def values(self, query: str) -> list[float]:
        """The numbers that a query gives now, without those that say that there is none."""
        numbers = [float(sample["value"][1]) for sample in self.ask("query", query=query)["result"]]
        return [number for number in numbers if not math.isnan(number)]

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=2, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


def configuration(addresses: Mapping[str, str]) -> dict[str, Any]:
    """The repository's, once a second, for one replica of each job at the given ``host:port``."""
    content = yaml.safe_load(CONFIGURATION.read_text())
    content["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    content["rule_files"] = [str(CONFIGURATION.parent / pattern) for pattern in content["rule_files"]]
    for job in content["scrape_configs"]:
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": [addresses[job["job_name"]]]}]
    return dict(content)


@contextmanager
def run_prometheus(program: str, addresses: Mapping[str, str], directory: Path) -> Iterator[Prometheus]:
    (directory / "prometheus.yml").write_text(yaml.safe_dump(configuration(addresses)))
    listen = f"127.0.0.1:{free_port()}"
    words = [
        program,
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={listen}",
    ]
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    try:
        prometheus = Prometheus(f"http://{listen}")
        wait_until(prometheus.is_ready, "Prometheus is ready")
        yield prometheus
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()
