"""``POST /api/feedback``: what a photo really showed, passed on to the monitor, which knows the predictions."""

from __future__ import annotations

import asyncio

from servicekit.problems import Problem
from servicekit.request_context import request_context
from starlette.types import Receive, Scope, Send

from gateway.answers import pass_on
from gateway.errors import ClientLeft, MalformedUpload, UnsupportedUpload
from gateway.monitor_client import MonitorClient
from gateway.request_body import RequestBody, arriving_by, refuse_early

LIMIT_BYTES = 4096
"""An id and a label are far shorter."""


class Feedback:
    """A plain ASGI endpoint. The document is the monitor's to understand; here it is only kept small."""

    def __init__(self, monitor: MonitorClient, *, timeout_seconds: float) -> None:
        self._monitor = monitor
        self._timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        body = RequestBody(scope, receive, limit_bytes=LIMIT_BYTES)
        try:
            with arriving_by(deadline):
                document = await _read_document(body)
            answer = await self._monitor.feedback(document, context=request_context(scope), deadline=deadline)
        except ClientLeft:
            return
        except Problem as problem:
            if body.is_complete:
                raise
            await refuse_early(problem, body, deadline, scope, receive, send)
        else:
            await pass_on(answer, scope, receive, send)


async def _read_document(body: RequestBody) -> bytes | bytearray:
    """The body's bytes. Raises: UploadRefused, ClientLeft."""
    if body.fields.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
        raise UnsupportedUpload("Send application/json: the prediction_id, and the label that it should have had.")
    document = await body.whole()
    if not document:
        raise MalformedUpload("The request has no body. Send the prediction_id and the label that it should have had.")
    return document
