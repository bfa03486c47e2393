"""The gateway on a real port, in the test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from gateway.app import create_app
from gateway.settings import Settings
from servicekit.health import Health


@dataclass
class RunningGateway:
    host: str
    port: int
    http: httpx.AsyncClient
    health: Health

    async def metric(self, line: str) -> float:
        """The value of one sample."""
        metrics = (await self.http.get("/metrics")).text
        return next(float(each.rpartition(" ")[2]) for each in metrics.splitlines() if each.startswith(line))


class _Server(uvicorn.Server):
    started_event: asyncio.Event

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        self.started_event.set()


@asynccontextmanager
async def running_gateway(settings: Settings) -> AsyncIterator[RunningGateway]:
    app = create_app(settings)
    server = _Server(
        uvicorn.Config(
            app, port=0, http="httptools", ws="none", lifespan="on", log_config=None, timeout_graceful_shutdown=1
        )
    )
    server.started_event = asyncio.Event()
    serving = asyncio.create_task(server.serve())
    await asyncio.wait_for(server.started_event.wait(), 10)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as http:
            yield RunningGateway("127.0.0.1", port, http, app.state.health)
    finally:
        app.state.health.draining.set()
        server.should_exit = True
        await serving
