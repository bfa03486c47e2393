from pathlib import Path

import pytest
from monitor.manifests import Manifests

from services.monitor.tests.examples import write_manifest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    write_manifest(tmp_path)
    return Manifests(tmp_path)
