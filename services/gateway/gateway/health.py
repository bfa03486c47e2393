"""Is what stands behind the gateway there? ``GET /health`` for people, and the ping that readiness uses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.transport import Answer, Transport, TransportError

ASK_AGAIN_AFTER = 0.2
"""Share of the timeout. Of several replicas one may hang, and the next call goes to another; what is left of the time
is more than a service takes that waits for a dependency."""

State = Literal["ok", "not ready", "refusing", "away", "unknown"]


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a service says about itself, and about what it needs."""

    state: State
    dependencies: dict[str, State]


AWAY = Readiness("away", {})


class NotReady(Exception):
    """The service answers, and says that it is not ready."""


class ReadinessProbe:
    """Asks one service's ``/health/ready``, and always knows within the timeout."""

    def __init__(self, transport: Transport, *, timeout_seconds: float) -> None:
        self._transport = transport
        self._timeout_seconds = timeout_seconds

    async def ask(self) -> Readiness:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = await self._first_answer()
        except (TransportError, TimeoutError):
            return AWAY
        return Readiness("ok" if answer.status == 200 else "not ready", _dependencies(answer.body))

    async def _first_answer(self) -> Answer:
        """To a call, or to a second one beside it where the first is not answered soon. Raises: TransportError."""
        calls = [self._call()]
        try:
            answered, _ = await asyncio.wait(calls, timeout=ASK_AGAIN_AFTER * self._timeout_seconds)
            if not answered:
                calls.append(self._call())
                answered, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            return answered.pop().result()
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    def _call(self) -> asyncio.Task[Answer]:
        return asyncio.create_task(self._transport.send("/health/ready", {}))

    async def ping(self) -> None:
        """Raises: NotReady."""
        if (await self.ask()).state != "ok":
            raise NotReady


def _dependencies(body: bytes) -> dict[str, State]:
    try:
        report = json.loads(body)
        return {**dict.fromkeys(report["ok"], "ok"), **dict.fromkeys(report["failing"], "away")}
    except (ValueError, KeyError, TypeError):
        return {}


def _redis_state(dependencies: Sequence[tuple[str, State]]) -> State:
    """The worst that a service says of it: one that answers a ping may still refuse what it is there for."""
    pings = [state for name, state in dependencies if name == "redis"]
    if not pings:
        return "unknown"
    if "away" in pings:
        return "away"
    return "refusing" if any((name, "away") in dependencies for name in ("events", "consumers")) else "ok"


class HealthSummary:
    """``GET /health``: 503 while inference cannot be asked, because then the gateway's main job cannot be done."""

    def __init__(self, inference: ReadinessProbe, monitor: ReadinessProbe, *, version: str) -> None:
        self._inference = inference
        self._monitor = monitor
        self._version = version

    async def show(self, request: Request) -> Response:
        inference, monitor = await asyncio.gather(self._inference.ask(), self._monitor.ask())
        dependencies = [*inference.dependencies.items(), *monitor.dependencies.items()]
        services: dict[str, State] = {
            "inference": inference.state,
            "monitor": monitor.state,
            "redis": _redis_state(dependencies),
        }
        is_ok = all(state == "ok" for state in services.values())
        return JSONResponse(
            {"status": "ok" if is_ok else "degraded", "services": services, "version": self._version},
            200 if inference.state == "ok" else 503,
            {"cache-control": "no-store"},
        )
