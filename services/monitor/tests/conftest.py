from pathlib import Path

import pytest
from hypothesis import settings
from monitor.manifests import Manifests

from services.monitor.tests.examples import write_manifest

settings.register_profile("monitor", deadline=None)  # how long a run takes says more of the machine than of the code
settings.load_profile("monitor")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    write_manifest(tmp_path)
    return Manifests(tmp_path)
