"""What the gateway asks of the monitor."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from servicekit.request_context import RequestContext
from yarl import URL

from gateway.transport import Answer, AnswerStream
from gateway.upstream import Upstream


class MonitorClient:
    """The query, which names the window, is the monitor's to understand: it is passed on as it is."""

    def __init__(self, url: URL, upstream: Upstream) -> None:
        self._report_url = url / "report"
        self._stream_url = url / "stream"
        self._feedback_url = url / "feedback"
        self._upstream = upstream

    async def report(self, query: Mapping[str, str], *, context: RequestContext, deadline: float) -> Answer:
        """The report over one window."""
        return await self._upstream.ask(self._report_url.with_query(query), context=context, deadline=deadline)

    async def feedback(self, document: bytes, *, context: RequestContext, deadline: float) -> Answer:
        """Note what a photo really showed; the same note twice is one."""
        return await self._upstream.ask(
            self._feedback_url, context=context, deadline=deadline, body=document, media_type="application/json"
        )

    def stream(
        self, query: Mapping[str, str], *, last_event_id: str | None, context: RequestContext, deadline: float
    ) -> AbstractAsyncContextManager[AnswerStream]:
        """The same report as server-sent events, on change from the event that the client saw last."""
        headers = {} if last_event_id is None else {"last-event-id": last_event_id}
        url = self._stream_url.with_query(query)
        return self._upstream.stream(
            url, media_type="text/event-stream", headers=headers, context=context, deadline=deadline
        )
