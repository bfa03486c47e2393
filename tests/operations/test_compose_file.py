"""compose.yaml, as far as it can be read without an engine: what can be set is written down, and limits are limits."""

from __future__ import annotations

import re

import pytest
import yaml
from redis_server import ROOT

TEXT = (ROOT / "compose.yaml").read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
OF_MAKE = {"REVISION"}


def test_the_example_of_an_environment_names_every_variable_with_its_default() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    written = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    taken = set(re.findall(r"\$\{(\w+):-([^}]*)\}", TEXT))
    assert len(taken) == len({name for name, _ in taken}), "a variable has two defaults"
    assert written == {name: default for name, default in taken if name not in OF_MAKE}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_limited_and_has_no_right_that_it_does_not_use(name: str) -> None:
    service = SERVICES[name]
    assert set(service["deploy"]["resources"]["limits"]) == {"memory", "pids"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_has_to_be_killed_that_is_stopped_while_it_starts(name: str) -> None:
    """The first process of a container takes no notice of a SIGTERM before it has a handler for it."""
    assert SERVICES[name]["init"] is True


def test_what_is_watched_is_there_and_each_path_by_one_service() -> None:
    """Of two services that one file builds anew at once, Compose before 5.2 may leave a third stopped."""
    watched = [rule["path"] for service in SERVICES.values() for rule in service.get("develop", {}).get("watch", [])]
    assert watched
    assert [path for path in watched if not (ROOT / path).is_dir()] == []
    assert len(watched) == len(set(watched))
