"""Ask another service within a deadline, again where that is safe, and take only answers that can be passed on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar
from urllib.parse import urlencode

import structlog
from prometheus_client import Counter
from servicekit.interruption import Interrupted, interrupted_at
from servicekit.request_context import RequestContext

from gateway.circuit import Circuit
from gateway.errors import AnsweredInstead, UpstreamAway, UpstreamOutOfTime
from gateway.retry_budget import RetryBudget
from gateway.transport import Answer, AnswerStream, Call, Content, NotAnswered, Transport, TransportError

Exchanged = TypeVar("Exchanged")

_log = structlog.get_logger("upstream")
_from_json = json.JSONDecoder().decode

RETRY_PAUSE_SECONDS = 0.02
"""Enough for a server that is just taking over its port; little beside any deadline."""
PATIENCE_SECONDS = 1.0
"""A call that had less time says nothing about the service: the client took the rest, sending its body."""


class Upstream:
    """One service behind the gateway. A ``deadline`` is a time of the event loop's clock."""

    def __init__(self, name: str, transport: Transport, *, circuit: Circuit, retries: Counter) -> None:
        self.circuit = circuit
        self._name = name
        self._transport = transport
        self._budget = RetryBudget()
        self._retries = retries

    async def ask(
        self,
        target: str,
        *,
        context: RequestContext,
        deadline: float,
        body: Content | None = None,
        media_type: str = "application/octet-stream",
    ) -> Answer:
        """The service's JSON answer, whatever its status.

        ``body``: None sends a GET, bytes a POST. Raises: UpstreamAway, UpstreamResting, UpstreamOutOfTime.
        """
        own_headers = {} if body is None else {"content-type": media_type}

        def send() -> Awaitable[Answer]:
            return self._send(target, own_headers, context, deadline, body)

        return self._checked(await self._guarded(send, context, deadline), context)

    @asynccontextmanager
    async def stream(
        self, target: str, *, media_type: str, headers: Mapping[str, str], context: RequestContext, deadline: float
    ) -> AsyncIterator[AnswerStream]:
        """An answer of this media type as it arrives; the deadline is for its beginning.

        Raises: UpstreamAway, UpstreamResting, UpstreamOutOfTime; AnsweredInstead, with any other JSON answer.
        """
        async with AsyncExitStack() as stack:

            async def begin() -> AnswerStream | Answer:
                call = Call(target, {**headers, **_headers(context, deadline)})
                answer = await stack.enter_async_context(self._transport.stream(call))
                return answer if _media_type(answer.headers) == media_type else await answer.whole()

            answer = await self._guarded(begin, context, deadline)
            if isinstance(answer, Answer):
                raise AnsweredInstead(self._checked(answer, context))
            yield answer

    async def _guarded(
        self, exchange: Callable[[], Awaitable[Exchanged]], context: RequestContext, deadline: float
    ) -> Exchanged:
        """Run one exchange within its deadline; what fails of it gets its status, and the circuit learns of it."""
        patience_seconds = deadline - asyncio.get_running_loop().time()
        if patience_seconds <= 0:
            raise self._out_of_time()
        try:
            async with interrupted_at(deadline):
                with self.circuit.call():
                    return await exchange()
        except Interrupted:
            if patience_seconds > PATIENCE_SECONDS:
                self.circuit.fail()
            raise self._out_of_time() from None
        except TransportError as error:
            raise self._away(str(error), context) from error

    async def _send(
        self,
        target: str,
        headers: Mapping[str, str],
        context: RequestContext,
        deadline: float,
        body: Content | None,
    ) -> Answer:
        self._budget.earn()
        try:
            return await self._transport.send(Call(target, {**headers, **_headers(context, deadline)}, body))
        except NotAnswered:
            if not self._budget.spend():
                raise
            self._retries.inc()
        await asyncio.sleep(RETRY_PAUSE_SECONDS)
        return await self._transport.send(Call(target, {**headers, **_headers(context, deadline)}, body))

    def _checked(self, answer: Answer, context: RequestContext) -> Answer:
        if not _is_json_object(answer):
            raise self._away("answer is not a JSON object", context)
        return answer

    def _away(self, reason: str, context: RequestContext) -> UpstreamAway:
        _log.warning("upstream away", upstream=self._name, reason=reason, request_id=context.request_id)
        return UpstreamAway(f"The {self._name} service is away. Try again in a moment.")

    def _out_of_time(self) -> UpstreamOutOfTime:
        return UpstreamOutOfTime(f"The {self._name} service did not answer in time.")


def with_query(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _headers(context: RequestContext, deadline: float) -> dict[str, str]:
    """What travels with every call: who asks, as part of what, and how much time is left."""
    remaining_seconds = max(0.0, deadline - asyncio.get_running_loop().time())
    return {
        "x-request-id": context.request_id,
        "traceparent": context.traceparent,
        "x-deadline-ms": str(int(remaining_seconds * 1000)),
    }


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0]


def _is_json_object(answer: Answer) -> bool:
    if _media_type(answer.headers) not in ("application/json", "application/problem+json"):
        return False
    try:
        return isinstance(_from_json(answer.body.decode()), dict)
    except ValueError:
        return False
