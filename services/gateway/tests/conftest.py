"""A gateway on a real port between the test and two scripted services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import pytest
from gateway.settings import GatewaySettings

from services.gateway.tests.running_gateway import RunningGateway, running_gateway
from services.gateway.tests.scripted_upstream import ScriptedUpstream, scripted_upstream

LIMIT_BYTES = 100_000


class StartGateway(Protocol):
    async def __call__(self, **settings: object) -> RunningGateway: ...


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def frontend_dir(tmp_path: Path) -> Path:
    """A folder of pages, with more in it than may be served."""
    files = {
        "index.html": "<!doctype html><title>catnet</title>",
        "dashboard.html": "<!doctype html><title>dashboard</title>",
        "how-it-works.html": "<!doctype html><title>how it works</title>",
        "docs.html": "<!doctype html><title>docs</title>",
        "favicon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "index.js": "export {};",
        "service-worker.js": "// keeps what COPY lists",
        "components/photo-drop/photo-drop.css": "photo-drop { display: block }",
        "package.json": "{}",
        "tests/index.test.js": "// a test",
        ".hidden.js": "// hidden",
        "node_modules/chart.js/dist/chart.umd.min.js": "// charts",
        "node_modules/chart.js/package.json": "{}",
        "node_modules/swagger-ui-dist/swagger-ui.css": "/* docs */",
        "node_modules/swagger-ui-dist/swagger-ui-bundle.js": "// docs",
    }
    folder = tmp_path / "frontend"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (tmp_path / "secret.js").write_text("// outside of the folder")
    return folder


@pytest.fixture
async def inference() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as upstream:
        yield upstream


@pytest.fixture
async def monitor() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as upstream:
        yield upstream


@pytest.fixture
async def start_gateway(
    frontend_dir: Path, inference: ScriptedUpstream, monitor: ScriptedUpstream
) -> AsyncIterator[StartGateway]:
    async with AsyncExitStack() as stack:

        async def start(**settings: object) -> RunningGateway:
            defaults: dict[str, object] = {
                "inference_url": inference.url,
                "monitor_url": monitor.url,
                "frontend_dir": frontend_dir,
                "max_upload_bytes": LIMIT_BYTES,
            }
            return await stack.enter_async_context(running_gateway(GatewaySettings.model_validate(defaults | settings)))

        yield start


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> RunningGateway:
    return await start_gateway()
