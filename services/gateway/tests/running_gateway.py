"""Applications on real ports, in the test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import uvicorn
from fastapi import FastAPI
from gateway.app import create_app
from gateway.settings import GatewaySettings
from servicekit.health import Health
from servicekit.http_protocol import HttpProtocol


@dataclass
class RunningGateway:
    host: str
    port: int
    http: httpx.AsyncClient
    health: Health

    async def metric(self, name: str) -> float:
        """The value of a metric, its labels written as in the exposition."""
        lines = (await self.http.get("/metrics")).text.splitlines()
        return next(float(value) for line in lines for left, _, value in [line.partition(" ")] if left == name)


@asynccontextmanager
async def running_gateway(settings: GatewaySettings) -> AsyncIterator[RunningGateway]:
    app = create_app(settings)
    async with running_app(app) as url, httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as http:
        address = urlsplit(url)
        yield RunningGateway(address.hostname or "", address.port or 0, http, app.state.health)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.has_started = asyncio.Event()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        self.has_started.set()


@asynccontextmanager
async def running_app(app: FastAPI) -> AsyncIterator[str]:
    """Serve the application; gives its URL."""
    server = _Server(
        uvicorn.Config(
            app,
            port=0,
            http=HttpProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(server.serve())
    await asyncio.wait_for(server.has_started.wait(), 10)
    host, port = server.servers[0].sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        app.state.health.draining.set()  # streams end
        server.should_exit = True
        await serving
