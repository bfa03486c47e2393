"""Ask another service within a deadline, again where that is safe, and take only answers that can be passed on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlencode

import structlog
from prometheus_client import Counter
from pydantic_core import from_json
from servicekit.interruption import Interrupted, interrupted_at
from servicekit.request_context import RequestContext

from gateway.circuit import Circuit
from gateway.errors import AnsweredInstead, UpstreamAway, UpstreamFailed, UpstreamOutOfTime
from gateway.retry_budget import RetryBudget
from gateway.transport import Answer, AnswerStream, Content, NotAnswered, Transport, TransportError

_NO_JSON_OBJECT = "answer is not a JSON object"

_log = structlog.get_logger("upstream")

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
        patience_seconds = self._seconds_until(deadline)
        headers = _headers(context, patience_seconds)
        if body is not None:
            headers["content-type"] = media_type
        try:
            with interrupted_at(deadline), self.circuit.call():
                self._budget.earn()
                try:
                    answer = await self._transport.send(target, headers, body)
                except NotAnswered:
                    if not self._budget.spend():
                        raise
                    self._retries.inc()
                    await asyncio.sleep(RETRY_PAUSE_SECONDS)
                    headers |= _headers(context, self._seconds_until(deadline))
                    answer = await self._transport.send(target, headers, body)
        except (Interrupted, TransportError) as error:
            raise self._failure(error, patience_seconds, context) from error
        if not _is_json_object(answer):
            raise self._away(_NO_JSON_OBJECT, context)
        return answer

    @asynccontextmanager
    async def stream(
        self, target: str, *, media_type: str, headers: Mapping[str, str], context: RequestContext, deadline: float
    ) -> AsyncIterator[AnswerStream]:
        """An answer of this media type as it arrives; the deadline is for its beginning.

        Raises: UpstreamAway, UpstreamResting, UpstreamOutOfTime; AnsweredInstead, with any other JSON answer.
        """
        patience_seconds = self._seconds_until(deadline)
        call = self._transport.stream(target, {**headers, **_headers(context, patience_seconds)})
        async with AsyncExitStack() as stack:
            try:
                with interrupted_at(deadline), self.circuit.call():
                    answer = await stack.enter_async_context(call)
                    refusal = None if _media_type(answer.headers) == media_type.encode() else await answer.whole()
            except (Interrupted, TransportError) as error:
                raise self._failure(error, patience_seconds, context) from error
            if refusal is None:
                yield answer
            elif _is_json_object(refusal):
                raise AnsweredInstead(refusal)
            else:
                raise self._away(_NO_JSON_OBJECT, context)

    def _seconds_until(self, deadline: float) -> float:
        """Raises: UpstreamOutOfTime, where there are none."""
        seconds = deadline - asyncio.get_running_loop().time()
        if seconds <= 0:
            raise self._out_of_time()
        return seconds

    def _failure(
        self, error: Interrupted | TransportError, patience_seconds: float, context: RequestContext
    ) -> UpstreamFailed:
        """What a call that failed so is to the client; one that took too long is news to the circuit."""
        if isinstance(error, TransportError):
            return self._away(str(error), context)
        if patience_seconds > PATIENCE_SECONDS:
            self.circuit.run_out_of_time()
        return self._out_of_time()

    def _away(self, reason: str, context: RequestContext) -> UpstreamAway:
        _log.warning("upstream away", upstream=self._name, reason=reason, request_id=context.request_id)
        return UpstreamAway(f"The {self._name} service is away. Try again in a moment.")

    def _out_of_time(self) -> UpstreamOutOfTime:
        return UpstreamOutOfTime(f"The {self._name} service did not answer in time.")


def with_query(path: str, query: Mapping[str, str] | Sequence[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _headers(context: RequestContext, seconds: float) -> dict[str, str]:
    """What travels with every call: who asks, as part of what, and how much time is left."""
    return {
        "x-request-id": context.request_id,
        "traceparent": context.traceparent,
        "x-deadline-ms": str(int(seconds * 1000)),
    }


def _media_type(headers: Mapping[bytes, bytes]) -> bytes:
    return headers.get(b"content-type", b"").partition(b";")[0]


def _is_json_object(answer: Answer) -> bool:
    if _media_type(answer.headers) not in (b"application/json", b"application/problem+json"):
        return False
    try:
        return type(from_json(answer.body)) is dict
    except ValueError:
        return False
