"""What a test needs from the machine. Where it is missing the test is skipped by name, or fails in CI."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str, how_to_get: str) -> NoReturn:
    """Skip the test that needs it; in CI, where everything has to be there, fail it."""
    reason = f"{what} is not here ({how_to_get})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
