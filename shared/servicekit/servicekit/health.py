"""Liveness asks nobody; readiness pings what the service needs and turns false when a drain begins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Ping = Callable[[], Awaitable[None]]
"""Returns when the dependency answers; raises when it does not."""

PING_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Dependency:
    """``required``: without it the service is not ready; otherwise its absence is only shown.

    ``timeout_seconds`` is longer for a service whose own readiness waits for pings.
    """

    name: str
    ping: Ping
    required: bool = True
    timeout_seconds: float = PING_TIMEOUT_SECONDS


class Health:
    """The state that ``/health/ready`` shows.

    ``draining`` is set by the server when SIGTERM arrives; answers that do not end by themselves wait for it.
    """

    def __init__(self) -> None:
        self.draining = asyncio.Event()
        self._dependencies: list[Dependency] = []

    def register(self, dependency: Dependency) -> None:
        self._dependencies.append(dependency)

    async def report(self) -> tuple[bool, dict[str, object]]:
        """Whether the service is ready, and which dependencies are ok and which fail, with the reason."""
        reasons = await asyncio.gather(*(_failure(dependency) for dependency in self._dependencies))
        failing = {d.name: reason for d, reason in zip(self._dependencies, reasons, strict=True) if reason}
        ready = not self.draining.is_set() and not any(d.required and d.name in failing for d in self._dependencies)
        return ready, {
            "ok": [d.name for d in self._dependencies if d.name not in failing],
            "failing": failing,
            "draining": self.draining.is_set(),
        }

    def routes(self) -> list[Route]:
        async def live(request: Request) -> Response:
            return JSONResponse({"status": "live"})

        async def ready(request: Request) -> Response:
            is_ready, body = await self.report()
            return JSONResponse({"status": "ready" if is_ready else "not ready", **body}, 200 if is_ready else 503)

        return [Route("/health/live", live), Route("/health/ready", ready)]


async def _failure(dependency: Dependency) -> str:
    """Empty when the ping succeeds, else the kind of the failure (never its message: it may name addresses)."""
    try:
        async with asyncio.timeout(dependency.timeout_seconds):
            await dependency.ping()
    except TimeoutError:
        return f"no answer within {dependency.timeout_seconds:g} s"
    except Exception as error:
        return type(error).__name__
    return ""
