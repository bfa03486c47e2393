"""The audit is good only when every package was looked up and nothing is known of any."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from redis_server import ROOT

LOCKS = sorted(path.name for path in (ROOT / "requirements").glob("*.txt"))
CLEAN = {"name": "uvloop", "version": "0.23.0", "vulns": []}
HOLED = {
    "name": "pillow",
    "version": "13.0.0",
    "vulns": [{"id": "GHSA-1", "fix_versions": ["13.0.1", "12.9.9"]}, {"id": "GHSA-2", "fix_versions": []}],
}
SKIPPED = {"name": "pydantic", "skip_reason": "not found: pydantic (2.0)"}
NO_HOLES = {"vulnerabilities": {}}


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    return Audit(tmp_path)


class Audit:
    """The script between two programs that print what a test says."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __call__(self, *, pip_audit: object, npm: object) -> tuple[int, list[str]]:
        """Returns: exit status and printed lines."""
        for name, answer in (("pip-audit", pip_audit), ("npm", npm)):
            program = self._directory / name
            text = answer if isinstance(answer, str) else json.dumps(answer)
            where = ">&2" if isinstance(answer, str) else ""
            program.write_text(f"#!/bin/sh\ncat <<'END' {where}\n{text}\nEND\nexit 1\n")
            program.chmod(0o755)
        done = subprocess.run(
            [sys.executable, "requirements/audit", str(self._directory / "pip-audit")],
            cwd=ROOT,
            env={"PATH": f"{self._directory}{os.pathsep}/usr/bin{os.pathsep}/bin"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stderr == ""
        return done.returncode, done.stdout.splitlines()


def test_nothing_known_of_anything_is_good(audit: Audit) -> None:
    names = [*(f"requirements/{lock}" for lock in LOCKS), "frontend/package-lock.json"]
    assert audit(pip_audit={"dependencies": [CLEAN]}, npm=NO_HOLES) == (
        0,
        [f"{name}: no vulnerability is known" for name in names],
    )


def test_a_known_vulnerability_is_named_with_the_versions_that_mend_it(audit: Audit) -> None:
    status, lines = audit(pip_audit={"dependencies": [CLEAN, HOLED]}, npm=NO_HOLES)
    assert status == 1
    assert f"requirements/{LOCKS[0]}: pillow 13.0.0: GHSA-1, mended in 13.0.1, 12.9.9" in lines
    assert f"requirements/{LOCKS[0]}: pillow 13.0.0: GHSA-2, mended in none yet" in lines


def test_packages_that_could_not_be_looked_up_are_not_good(audit: Audit) -> None:
    status, lines = audit(pip_audit={"dependencies": [CLEAN, SKIPPED]}, npm=NO_HOLES)
    assert status == 1
    assert lines[0].endswith("NOT AUDITED: 1 of 2 packages; of the first: not found: pydantic (2.0)")


def test_an_index_that_does_not_answer_is_not_good_and_its_error_is_shown(audit: Audit) -> None:
    status, lines = audit(pip_audit="warning\nERROR: no connection", npm=NO_HOLES)
    assert status == 1
    assert lines[0].endswith("NOT AUDITED: ERROR: no connection")


@pytest.mark.parametrize(
    ("npm", "line"),
    [
        ({"vulnerabilities": {"chart.js": {"severity": "high"}}}, "chart.js: high"),
        ({"message": "405 Method Not Allowed", "error": {}}, "NOT AUDITED: 405 Method Not Allowed"),
    ],
    ids=["vulnerable", "not answered"],
)
def test_the_pages_count_too(audit: Audit, npm: object, line: str) -> None:
    status, lines = audit(pip_audit={"dependencies": [CLEAN]}, npm=npm)
    assert (status, lines[-1]) == (1, f"frontend/package-lock.json: {line}")
