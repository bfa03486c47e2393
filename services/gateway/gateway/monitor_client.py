"""What the gateway asks of the monitor."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from servicekit.request_context import RequestContext
from starlette.datastructures import QueryParams

from gateway.transport import Answer, AnswerStream
from gateway.upstream import Upstream, with_query


class MonitorClient:
    """The query, which names the window, is the monitor's to understand: it is passed on as it is."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def report(self, query: QueryParams, *, context: RequestContext, deadline: float) -> Answer:
        """The report over one window."""
        return await self._upstream.ask(with_query("/report", query.multi_items()), context=context, deadline=deadline)

    async def feedback(self, document: bytes | bytearray, *, context: RequestContext, deadline: float) -> Answer:
        """Note what a photo really showed; the same note twice is one."""
        return await self._upstream.ask(
            "/feedback", context=context, deadline=deadline, body=document, media_type="application/json"
        )

    def stream(
        self, query: QueryParams, *, last_event_id: str | None, context: RequestContext, deadline: float
    ) -> AbstractAsyncContextManager[AnswerStream]:
        """The same report as server-sent events, on change from the event that the client saw last."""
        headers = {} if last_event_id is None else {"last-event-id": last_event_id}
        target = with_query("/stream", query.multi_items())
        return self._upstream.stream(
            target, media_type="text/event-stream", headers=headers, context=context, deadline=deadline
        )
