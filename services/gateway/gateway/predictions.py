"""``POST /predict``: take a photo, ask inference, pass its answer on."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from servicekit.problems import problem_response
from servicekit.request_context import request_context
from starlette.datastructures import Headers, QueryParams
from starlette.types import Receive, Scope, Send

from gateway.answers import pass_on
from gateway.errors import ClientLeft, UploadRefused, UploadTooSlow
from gateway.inference_client import InferenceClient
from gateway.interruption import Interrupted, client_left, interrupted_by
from gateway.settings import Settings
from gateway.transport import Answer
from gateway.upload import RequestBody, read_photo

MAX_DISCARDED_BYTES = 64 * 1024 * 1024
"""How much more of a refused body is read, so that its sender gets to see the answer."""
LINGER_SECONDS = 1.0
"""How long it is read on at least, also when its deadline has passed."""


class Predict:
    """A plain ASGI endpoint: the hot path pays for nothing that it does not use."""

    def __init__(self, settings: Settings, inference: InferenceClient) -> None:
        self._timeout_seconds = settings.request_timeout_seconds
        self._limit_bytes = settings.max_upload_bytes
        self._inference = inference

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        headers = Headers(scope=scope)
        body = RequestBody(headers, receive, limit_bytes=self._limit_bytes)
        try:
            photo = await _read_in_time(headers, body, deadline)
            answer = await self._ask_inference(scope, receive, photo, deadline)
        except ClientLeft:
            return
        except UploadRefused as refusal:
            if body.is_complete:
                raise
            await _refuse_early(refusal, body, deadline, scope, send)
        else:
            await pass_on(answer, scope)(scope, receive, send)

    async def _ask_inference(self, scope: Scope, receive: Receive, photo: bytes, deadline: float) -> Answer:
        """Raises: ClientLeft, and the call is cancelled; UpstreamFailed."""
        model = QueryParams(scope["query_string"]).get("model")
        try:
            async with interrupted_by(client_left(receive)):
                return await self._inference.predict(
                    photo, model=model, context=request_context(scope), deadline=deadline
                )
        except Interrupted:
            raise ClientLeft from None


async def _read_in_time(headers: Headers, body: RequestBody, deadline: float) -> bytes:
    try:
        async with asyncio.timeout_at(deadline):
            return await read_photo(headers, body)
    except TimeoutError:
        raise UploadTooSlow("The body did not arrive in time.") from None


async def _refuse_early(refusal: UploadRefused, body: RequestBody, deadline: float, scope: Scope, send: Send) -> None:
    """Answer while the client may still be sending, and read on for a while.

    Closing the connection at once would reset it, and the client would see that instead of its answer.
    """
    answer = problem_response(scope, refusal.status, refusal.detail, {"Connection": "close"})
    await send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    if not body.is_awaited_by_client:
        with suppress(TimeoutError, ClientLeft):
            async with asyncio.timeout_at(max(deadline, asyncio.get_running_loop().time() + LINGER_SECONDS)):
                await body.discard(at_most_bytes=MAX_DISCARDED_BYTES)
    await send({"type": "http.response.body"})
