"""Grafana: every panel of every dashboard shows something when a real Prometheus scrapes the services under load."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis_server import ROOT

from tests.e2e.client import Client
from tests.operations.prometheus_process import Prometheus, run_prometheus
from tests.pictures import photo
from tests.processes import Catnet, run_catnet, wait_until
from tests.tools import missing

GRAFANA = ROOT / "deploy" / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
RATE_INTERVAL = "1m"  # what Grafana makes of $__rate_interval at a scrape interval of 15 s


QUERIES = [
    pytest.param(
        target["expr"].replace("$__rate_interval", RATE_INTERVAL),
        id=f"{path.stem}: {panel['title']}, {target['legendFormat'] or target['refId']}",
    )
    for path in DASHBOARDS
    for panel in json.loads(path.read_text())["panels"]
    for target in panel["targets"]
]


@pytest.fixture(scope="module")
def running_catnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catnet]:
    """With a shadow model, without which some panels have nothing to show."""
    with run_catnet(tmp_path_factory.mktemp("catnet"), SHADOW_MODEL="catnet-mlp") as catnet:
        yield catnet


def say_what_a_photo_was(gateway_url: str) -> None:
    """As a person does who sees that an answer is right, and one who sees that it is wrong."""
    with Client(gateway_url) as client:

        def is_taken(document: dict[str, str]) -> bool:
            return client.http.post("/api/feedback", json=document).status_code == 200

        for label in ("cat", "non-cat"):
            document = {"prediction_id": client.predict(photo()).json()["prediction_id"], "label": label}
            wait_until(partial(is_taken, document), "the monitor knows the prediction, and takes what is said of it")


@pytest.fixture(scope="module")
def prometheus(running_catnet: Catnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """It scrapes the running services, which are asked for predictions all the while."""
    program = shutil.which("prometheus") or missing("Prometheus", "apt install prometheus")
    addresses = {service.name: service.url.removeprefix("http://") for service in running_catnet.services}
    words = ["--url", running_catnet.gateway_url, "--rate", "25"]
    with run_prometheus(program, addresses, tmp_path_factory.mktemp("prometheus")) as prometheus:
        load = subprocess.Popen(
            [sys.executable, str(ROOT / "deploy" / "load" / "steady_load.py"), *words], stdout=subprocess.DEVNULL
        )
        try:
            wait_until(lambda: bool(prometheus.values("catnet_feedback_total")), "the monitor was scraped")
            say_what_a_photo_was(running_catnet.gateway_url)
            yield prometheus
        finally:
            load.terminate()
            status = load.wait(30)
    assert status == 0, "a request of the load was answered otherwise than 200"


@pytest.mark.parametrize("query", QUERIES)
def test_every_panel_shows_data(prometheus: Prometheus, query: str) -> None:
    wait_until(lambda: bool(prometheus.values(query)), f"{query} gives a number")


def test_a_query_of_a_metric_that_nobody_has_gives_no_data(prometheus: Prometheus) -> None:
    assert prometheus.values("sum(rate(catnet_no_such_metric_total[1m]))") == []


def test_every_rule_can_be_evaluated(prometheus: Prometheus) -> None:
    def rules() -> list[dict[str, Any]]:
        return [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]

    wait_until(lambda: all(rule["health"] != "unknown" for rule in rules()), "every rule was evaluated")
    assert [rule for rule in rules() if rule["health"] != "ok"] == []


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_asks_the_data_source_that_is_provisioned(path: Path) -> None:
    sources = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    dashboard = json.loads(path.read_text())
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {source["uid"] for source in sources}
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_panel_gets_its_data_in_the_form_that_it_draws(path: Path) -> None:
    """A heatmap would take the cumulative buckets for counts, and a table would show a row for each moment."""
    for panel in json.loads(path.read_text())["panels"]:
        forms = {(target.get("format"), target.get("instant")) for target in panel["targets"]}
        expected = {"heatmap": {("heatmap", None)}, "table": {("table", True)}}
        assert forms == expected.get(panel["type"], {(None, None)}), panel["title"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_single_number_is_coloured_by_limits_of_its_own(path: Path) -> None:
    """Without any, Grafana colours whatever is above 80 red."""
    for panel in json.loads(path.read_text())["panels"]:
        if panel["type"] == "stat":
            assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], panel["title"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_says_what_it_shows_and_overlaps_no_other(path: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(path.read_text())["panels"]:
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not taken & cells, panel["title"]
        taken |= cells
