"""``/api/models/NAME/VERSION/FILE``: the files of a model, passed on from inference as they come.

They go through in pieces, each when the client has taken the one before, so that many downloads at once take little
memory; their number and the time of each are bounded.
"""

from __future__ import annotations

import asyncio
import re
from types import MappingProxyType

from servicekit.http_exchange import abort
from servicekit.request_context import request_context
from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from gateway.admission import Admission
from gateway.answers import pass_on
from gateway.errors import AnsweredInstead
from gateway.inference_client import InferenceClient
from gateway.pages import matches_etag
from gateway.transport import Answer, AnswerStream

MEDIA_TYPES = MappingProxyType(
    {
        "manifest.json": "application/json",
        "model.safetensors": "application/octet-stream",
        "README.md": "text/markdown",
        "history.csv": "text/csv",
        "reliability.png": "image/png",
    }
)
NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""Of a model and of a version: no name that leads out of a folder or an address."""
DOWNLOAD_SECONDS = 120.0
"""A slow mobile connection takes two megabytes in that time; who takes longer is cut off."""

_PASSED_ON = (b"content-type", b"content-length", b"etag", b"cache-control")


class ModelFiles:
    """An endpoint with the path parameters ``name``, ``version`` and ``file``.

    Where it ``needs_key``, no cache that several people share may answer in its place.
    """

    def __init__(
        self,
        inference: InferenceClient,
        *,
        admission: Admission,
        timeout_seconds: float,
        needs_key: bool = False,
        download_seconds: float = DOWNLOAD_SECONDS,
    ) -> None:
        self._inference = inference
        self._admission = admission
        self._timeout_seconds = timeout_seconds
        self._needs_key = needs_key
        self._download_seconds = download_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, version, file = (scope["path_params"][key] for key in ("name", "version", "file"))
        if file not in MEDIA_TYPES or not (re.fullmatch(NAME, name) and re.fullmatch(NAME, version)):
            raise HTTPException(404)
        refused: Answer | None = None
        async with self._admission.work():
            answer = self._inference.model_file(
                (name, version, file),
                query={key: value for key, value in QueryParams(scope["query_string"]).items() if key == "sha256"},
                media_type=MEDIA_TYPES[file],
                context=request_context(scope),
                deadline=asyncio.get_running_loop().time() + self._timeout_seconds,
            )
            try:
                async with answer as content:
                    await self._pass_on(content, scope, send)
            except AnsweredInstead as refusal:
                refused = refusal.answer
        if refused is not None:
            await pass_on(refused, scope, receive, send)

    async def _pass_on(self, answer: AnswerStream, scope: Scope, send: Send) -> None:
        headers = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
        if self._needs_key and b"cache-control" in headers:
            headers[b"cache-control"] = headers[b"cache-control"].replace(b"public", b"private")
        is_known = matches_etag(
            Headers(scope=scope).get("if-none-match", ""), headers.get(b"etag", b"").decode("latin-1")
        )
        if is_known:
            headers.pop(b"content-length", None)
        start = {"type": "http.response.start", "status": 304 if is_known else 200, "headers": [*headers.items()]}
        content = answer if scope["method"] == "GET" and not is_known else None
        if not await self._send_in_time(start, content, send):
            abort(scope)  # so that nobody takes the piece that came for the whole

    async def _send_in_time(self, start: Message, content: AnswerStream | None, send: Send) -> bool:
        """Whether all of it went out, and in time: before its start, an earlier answer may still have to be taken."""
        try:
            async with asyncio.timeout(self._download_seconds):
                await send(start)
                if content is not None and not await self._send_all(content, send):
                    return False
                await send({"type": "http.response.body"})
        except TimeoutError:
            return False
        return True

    async def _send_all(self, content: AnswerStream, send: Send) -> bool:
        """Whether it was whole."""
        length_bytes = content.headers.get(b"content-length")
        sent_bytes = 0
        async for chunk in content.chunks:
            sent_bytes += len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        return length_bytes is None or sent_bytes == int(length_bytes)
