"""Ask another service within a deadline, again where that is safe, and take only answers that can be passed on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from prometheus_client import Counter
from servicekit.request_context import RequestContext
from yarl import URL

from gateway.errors import AnsweredInstead, UpstreamAway, UpstreamOutOfTime
from gateway.transport import Answer, AnswerStream, Call, NotAnswered, Transport, TransportError

_log = structlog.get_logger("upstream")

RETRY_PAUSE_SECONDS = 0.02
"""Enough for a server that is just taking over its port; little beside any deadline."""


class Upstream:
    """One service behind the gateway. A ``deadline`` is a time of the event loop's clock."""

    def __init__(self, name: str, transport: Transport, *, retries: Counter) -> None:
        self._name = name
        self._transport = transport
        self._retries = retries

    async def ask(self, url: URL, *, context: RequestContext, deadline: float, body: bytes | None = None) -> Answer:
        """The service's JSON answer, whatever its status. Raises: UpstreamAway, UpstreamOutOfTime."""
        try:
            async with asyncio.timeout_at(deadline):
                answer = await self._send(url, context, deadline, body)
        except TimeoutError:
            raise self._out_of_time() from None
        except TransportError as error:
            raise self._away(str(error), context) from error
        return self._checked(answer, context)

    @asynccontextmanager
    async def stream(
        self, url: URL, *, headers: Mapping[str, str], context: RequestContext, deadline: float
    ) -> AsyncIterator[AnswerStream]:
        """Server-sent events; the deadline is for their beginning.

        Raises: UpstreamAway, UpstreamOutOfTime; AnsweredInstead, with any other JSON answer.
        """
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout_at(deadline):
                    call = Call(url, {**headers, **_headers(context, deadline)})
                    answer = await stack.enter_async_context(self._transport.stream(call))
                    if _media_type(answer.headers) != "text/event-stream":
                        raise AnsweredInstead(self._checked(await answer.whole(), context))
            except TimeoutError:
                raise self._out_of_time() from None
            except TransportError as error:
                raise self._away(str(error), context) from error
            yield answer

    async def _send(self, url: URL, context: RequestContext, deadline: float, body: bytes | None) -> Answer:
        try:
            return await self._transport.send(Call(url, _headers(context, deadline), body))
        except NotAnswered:
            self._retries.inc()
        await asyncio.sleep(RETRY_PAUSE_SECONDS)
        return await self._transport.send(Call(url, _headers(context, deadline), body))

    def _checked(self, answer: Answer, context: RequestContext) -> Answer:
        if not _is_json_object(answer):
            raise self._away("answer is not a JSON object", context)
        return answer

    def _away(self, reason: str, context: RequestContext) -> UpstreamAway:
        _log.warning("upstream away", upstream=self._name, reason=reason, request_id=context.request_id)
        return UpstreamAway(f"The {self._name} service is away. Try again in a moment.")

    def _out_of_time(self) -> UpstreamOutOfTime:
        return UpstreamOutOfTime(f"The {self._name} service did not answer in time.")


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
        return isinstance(json.loads(answer.body), dict)
    except ValueError:
        return False
