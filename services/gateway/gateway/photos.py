"""``POST /predict`` and ``POST /explain``: take a photo, ask inference about it, pass its answer on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import nullcontext
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlencode

from servicekit.http_exchange import has_whole_body
from servicekit.interruption import Interrupted, while_client_waits
from servicekit.problems import Problem
from servicekit.request_context import RequestContext, request_context
from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from gateway.admission import Admission
from gateway.answers import pass_on
from gateway.circuit import Circuit
from gateway.errors import ClientLeft, TooMuchToDo
from gateway.request_body import RequestBody, arriving_by, refuse_early
from gateway.settings import GatewaySettings
from gateway.transport import Answer, Content
from gateway.upload import read_photo
from gateway.upload_memory import UploadMemory

QUERIES_REMEMBERED = 64
"""Most clients ask alike. Each may be as long as a request's head."""


class Question(Protocol):
    """What inference is asked about a photo. The query's names are among those that the endpoint takes."""

    def __call__(
        self, photo: Content, *, query: str, context: RequestContext, deadline: float
    ) -> Awaitable[Answer]: ...


class PhotoEndpoint:
    """A plain ASGI endpoint: the hot path pays for nothing that it does not use."""

    def __init__(
        self,
        ask: Question,
        *,
        query: tuple[str, ...],
        admission: Admission,
        memory: UploadMemory,
        circuit: Circuit,
        settings: GatewaySettings,
    ) -> None:
        self._ask = ask
        self._names = query
        self._query = lru_cache(QUERIES_REMEMBERED)(self._read_query)
        self._admission = admission
        self._memory = memory
        self._circuit = circuit
        self._timeout_seconds = settings.request_timeout_seconds
        self._limit_bytes = settings.max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        body = RequestBody(scope, receive, limit_bytes=self._limit_bytes, take=self._memory.take)
        photo: Content = b""
        try:
            try:
                self._circuit.check()
                self._admission.check()
                with nullcontext() if has_whole_body(scope) else arriving_by(deadline):
                    photo = await read_photo(body)
                query = self._query(scope["query_string"])
                with while_client_waits(scope):
                    async with self._admission.work():
                        answer = await self._ask(photo, query=query, context=request_context(scope), deadline=deadline)
                        if answer.status == TooMuchToDo.status:  # inference has other gateways too
                            raise self._admission.refusal("inference_full")
            finally:
                photo = b""  # the answer needs nothing of it, and may wait long for its client
                self._memory.give_back(body.held_bytes)
        except (ClientLeft, Interrupted):
            return
        except Problem as problem:
            problem.__traceback__ = problem.__cause__ = problem.__context__ = None  # their frames hold the photo
            if body.is_complete:
                raise
            await refuse_early(problem, body, deadline, scope, receive, send)
        else:
            await pass_on(answer, scope, receive, send)

    def _read_query(self, query_string: bytes) -> str:
        """What of a query is passed on."""
        given = QueryParams(query_string)
        return urlencode({name: given[name] for name in self._names if name in given})
