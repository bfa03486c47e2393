"""Prometheus: the configuration is valid; each alert fires where it should, nowhere else, and is explained."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis_server import ROOT

from tests.docs.pages import tables

PROMETHEUS = ROOT / "deploy" / "prometheus"
RULE_TESTS = sorted((PROMETHEUS / "rule_tests").glob("*.yml"))


def alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "rules" / "alerts.yml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def alert_tests() -> list[dict[str, Any]]:
    files = [yaml.safe_load(path.read_text()) for path in RULE_TESTS]
    return [each for file in files for test in file["tests"] for each in test.get("alert_rule_test", [])]


def run(promtool: str, *words: str | Path) -> None:
    done = subprocess.run([promtool, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_and_its_rules_are_valid(promtool: str) -> None:
    run(promtool, "check", "config", PROMETHEUS / "prometheus.yml")


def test_each_alert_behaves_as_its_tests_say(promtool: str) -> None:
    run(promtool, "test", "rules", *RULE_TESTS)


def test_a_rule_that_does_not_do_what_its_test_says_is_noticed(promtool: str, tmp_path: Path) -> None:
    for folder in ("rules", "rule_tests"):
        (tmp_path / folder).mkdir()
    for path in (PROMETHEUS / "rules").glob("*.yml"):
        (tmp_path / "rules" / path.name).write_text(path.read_text().replace("catnet_redis_up) == 0", "up) == 0"))
    of_redis = yaml.safe_load((PROMETHEUS / "rule_tests" / "alerts.yml").read_text())
    of_redis["tests"] = [test for test in of_redis["tests"] if "RedisDown" in str(test)]
    (tmp_path / "rule_tests" / "alerts.yml").write_text(yaml.safe_dump(of_redis))
    with pytest.raises(AssertionError, match="RedisDown"):
        run(promtool, "test", "rules", tmp_path / "rule_tests" / "alerts.yml")


@pytest.mark.parametrize("name", alerts())
def test_each_alert_is_shown_to_fire_and_not_to_fire(name: str) -> None:
    shown = {bool(test["exp_alerts"]) for test in alert_tests() if test["alertname"] == name}
    assert shown == {True, False}


@pytest.mark.parametrize("name", alerts())
def test_each_alert_has_a_severity_a_summary_and_a_page_that_names_it(name: str) -> None:
    alert = alerts()[name]
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert alert["annotations"]["summary"]
    runbook = alert["annotations"]["runbook"]
    assert name in (ROOT / runbook).read_text().splitlines()[0]
    assert Path(runbook).name in (ROOT / "docs/runbooks/README.md").read_text()


@pytest.mark.parametrize("path", sorted((PROMETHEUS / "rules").glob("*.yml")), ids=lambda path: path.stem)
def test_rules_ask_for_metrics_that_there_are(path: Path) -> None:
    metrics = {name for section in tables("metrics.md").values() for name in section}
    rules = [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]
    asked = {name for rule in rules for name in re.findall(r"(?<!:)\bcatnet_\w+", rule["expr"])}
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in asked} <= metrics
