"""The workflow and the configuration of Dependabot name only what exists, and publish only on a tag."""

from __future__ import annotations

import re
from typing import Any

import yaml
from redis_server import ROOT

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
DEPENDABOT = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())
ON_A_TAG = "startsWith(github.ref, 'refs/tags/v')"


def steps() -> list[dict[str, Any]]:
    return [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_every_command_of_make_is_one_that_there_is() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = set(re.findall(r"\bmake ([a-z]+)", " ".join(step.get("run", "") for step in steps())))
    assert used
    assert used <= targets


def test_there_is_an_image_for_every_service_and_a_folder_for_every_update() -> None:
    services = WORKFLOW["jobs"]["image"]["strategy"]["matrix"]["service"]
    assert sorted(services) == sorted(path.parent.name for path in ROOT.glob("services/*/Dockerfile"))
    folders = [folder for each in DEPENDABOT["updates"] for folder in each.get("directories", [each.get("directory")])]
    assert all((ROOT / folder.strip("/")).is_dir() for folder in folders)
    dockerfiles = {path.parent for parent in ("services", "deploy") for path in (ROOT / parent).glob("*/Dockerfile")}
    assert dockerfiles <= {ROOT / folder.strip("/") for folder in folders}


def test_nothing_is_published_but_on_a_tag_and_after_the_scan() -> None:
    names = [step.get("name") or step.get("uses", step.get("run")) for step in WORKFLOW["jobs"]["image"]["steps"]]
    assert names.index("Scan") < names.index("Publish what was scanned")
    pushing = [step for step in steps() if "docker push" in step.get("run", "") or step.get("with", {}).get("push")]
    assert [step["if"] for step in pushing] == [ON_A_TAG]


def test_every_action_is_named_by_a_commit_and_says_its_version() -> None:
    lines = (ROOT / ".github" / "workflows" / "ci.yml").read_text().splitlines()
    used = [line.partition("uses: ")[2] for line in lines if "uses: " in line]
    assert len(used) == len([step for step in steps() if "uses" in step])
    assert [each for each in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_a_job_has_no_right_that_it_was_not_given_and_an_end() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] <= 60 for job in WORKFLOW["jobs"].values())
