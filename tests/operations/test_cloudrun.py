"""Cloud Run: the script says all that it would do, keeps secrets to itself, and its manifests fit the services."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis_server import ROOT

from tests.docs.pages import tables

SERVICES = ("gateway", "inference", "monitor")
TERMINATION_SECONDS = 10  # what Cloud Run gives after SIGTERM


@pytest.fixture(scope="module")
def printed() -> str:
    """What a dry run prints, with nothing on the PATH that it could call."""
    words = [sys.executable, "deploy/cloudrun/deploy", "--project", "example", "--region", "europe-west1", "--dry-run"]
    done = subprocess.run(words, cwd=ROOT, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def manifests(printed: str) -> dict[str, dict[str, Any]]:
    """The manifests in what was printed: from apiVersion to the command that follows."""
    found = [yaml.safe_load(text) for text in re.findall(r"^apiVersion:.*?(?=^\+ )", printed, re.DOTALL | re.MULTILINE)]
    return {each["metadata"]["name"].removeprefix("catnet-"): each for each in found}


def container(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in manifest["spec"]["template"]["spec"]["containers"] if each["name"] == name)


def environment(manifest: dict[str, Any], name: str) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in container(manifest, name)["env"]}


def test_every_service_has_a_manifest_with_every_value_filled_in(printed: str, manifests: dict[str, Any]) -> None:
    assert set(manifests) == set(SERVICES)
    assert "${" not in printed


def test_the_gateway_is_deployed_last_and_knows_the_others(printed: str, manifests: dict[str, Any]) -> None:
    assert re.findall(r"services replace (\w+)\.yaml", printed)[-1] == "gateway"
    variables = environment(manifests["gateway"], "gateway")
    assert variables["INFERENCE_URL"] == "https://catnet-inference-123456789012.europe-west1.run.app"
    assert variables["MONITOR_URL"] == "https://catnet-monitor-123456789012.europe-west1.run.app"


def test_the_address_and_password_of_redis_are_in_no_command_and_no_manifest(printed: str) -> None:
    assert "PASSWORD" not in printed
    assert "10.0.0.3" not in printed
    assert "rediss://:" not in printed


def test_only_the_gateway_can_be_reached_from_outside(manifests: dict[str, Any]) -> None:
    ingress = {name: each["metadata"]["annotations"]["run.googleapis.com/ingress"] for name, each in manifests.items()}
    assert ingress == {"gateway": "all", "inference": "internal", "monitor": "internal"}


def test_the_others_let_in_the_account_of_the_gateway_alone(printed: str, manifests: dict[str, Any]) -> None:
    bindings = re.findall(
        r"services add-iam-policy-binding catnet-(\w+) .*--member=(\S+) --role=roles/run.invoker", printed
    )
    account = "serviceAccount:catnet-gateway@example.iam.gserviceaccount.com"
    assert sorted(bindings) == [("gateway", "allUsers"), ("inference", account), ("monitor", account)]
    assert manifests["gateway"]["spec"]["template"]["spec"]["serviceAccountName"] == account.partition(":")[2]


@pytest.mark.parametrize("name", ["inference", "monitor"])
def test_the_gateway_sends_tokens_that_are_made_for_the_address_that_it_asks(
    manifests: dict[str, Any], name: str
) -> None:
    variables = environment(manifests["gateway"], "gateway")
    assert variables["METADATA_URL"] == "http://metadata.google.internal"
    annotations = manifests[name]["metadata"]["annotations"]
    assert yaml.safe_load(annotations["run.googleapis.com/custom-audiences"]) == [variables[f"{name.upper()}_URL"]]


def test_the_monitor_is_always_on_and_the_gateway_only_while_it_answers(manifests: dict[str, Any]) -> None:
    annotations = {name: each["spec"]["template"]["metadata"]["annotations"] for name, each in manifests.items()}
    throttled = {name: each["run.googleapis.com/cpu-throttling"] for name, each in annotations.items()}
    assert throttled == {"gateway": "true", "inference": "false", "monitor": "false"}
    assert annotations["monitor"]["autoscaling.knative.dev/minScale"] == "1"


@pytest.mark.parametrize("name", SERVICES)
def test_every_variable_is_a_setting_of_the_service(manifests: dict[str, Any], name: str) -> None:
    settings = tables("settings.md")
    assert set(environment(manifests[name], name)) <= set(settings["Every service"]) | set(settings[name])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_ends_within_what_cloud_run_gives(manifests: dict[str, Any], name: str) -> None:
    variables = environment(manifests[name], name)
    waits = ("DRAIN_SECONDS", "SHUTDOWN_SECONDS", "EVENT_FLUSH_SECONDS")
    assert sum(float(variables.get(wait, 0)) for wait in waits) < TERMINATION_SECONDS


@pytest.mark.parametrize("name", SERVICES)
def test_probes_ask_what_the_service_answers_and_the_collector_follows(manifests: dict[str, Any], name: str) -> None:
    service = container(manifests[name], name)
    port = service["ports"][0]["containerPort"]
    assert service["startupProbe"]["httpGet"]["path"] in ("/health/live", "/health/ready")
    assert service["livenessProbe"]["httpGet"] == {"path": "/health/live", "port": port}
    assert service["startupProbe"]["httpGet"]["port"] == port == 8080  # where the collector looks without configuration
    annotations = manifests[name]["spec"]["template"]["metadata"]["annotations"]
    assert yaml.safe_load(annotations["run.googleapis.com/container-dependencies"]) == {"collector": [name]}
    assert container(manifests[name], "collector")["image"]


def test_an_account_is_made_long_before_it_is_given_rights(printed: str) -> None:
    """Google knows it everywhere only after a while; building and pushing the images takes longer."""
    lines = printed.splitlines()
    made = max(number for number, line in enumerate(lines) if "service-accounts create" in line)
    given = min(number for number, line in enumerate(lines) if "--member=serviceAccount:" in line)
    assert [line for line in lines[made:given] if line.startswith("+ docker push")]


STAND_IN = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in
  *"secrets versions access latest --secret=catnet-redis-url"*) printf '%s' "$KEPT" ;;
  *"format=value(host)"*) echo 10.0.0.3 ;;
  *"format=value(port)"*) echo 6378 ;;
  *"get-auth-string"*) echo pass/word ;;
esac
"""


@pytest.mark.parametrize(("kept", "added"), [("the address and password of now", 0), ("another", 1)])
def test_a_secret_that_is_there_already_is_not_added_again(tmp_path: Path, kept: str, added: int) -> None:
    for name in ("gcloud", "docker"):
        (tmp_path / name).write_text(STAND_IN)
        (tmp_path / name).chmod(0o755)
    now = "rediss://:pass%2Fword@10.0.0.3:6378/0?ssl_ca_certs=/secrets/redis/ca.pem&ssl_check_hostname=false"
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CALLS": str(tmp_path / "calls")}
    environment["KEPT"] = now if kept.endswith("of now") else kept
    words = [sys.executable, "deploy/cloudrun/deploy", "--project", "example"]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "pass" not in done.stdout
    assert (tmp_path / "calls").read_text().count("secrets versions add catnet-redis-url") == added


def test_a_command_that_fails_ends_the_script_with_one_line(tmp_path: Path) -> None:
    gcloud = tmp_path / "gcloud"
    gcloud.write_text("#!/bin/sh\nexit 3\n")
    gcloud.chmod(0o755)
    words = [sys.executable, "deploy/cloudrun/deploy", "--project", "example"]
    done = subprocess.run(
        words, cwd=ROOT, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.startswith("catnet: failed: gcloud services enable")
    assert len(done.stderr.splitlines()) == 1
