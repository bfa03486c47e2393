"""What the gateway asks of inference."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from servicekit.request_context import RequestContext

from gateway.transport import Answer
from gateway.upstream import Upstream


class InferenceClient:
    """The queries, which name models and methods, are inference's to understand."""

    def __init__(self, upstream: Upstream) -> None:
        self.circuit = upstream.circuit
        self._upstream = upstream

    async def predict(
        self, photo: bytes | bytearray, *, query: Mapping[str, str], context: RequestContext, deadline: float
    ) -> Answer:
        """The prediction for a photo, by the default model or the one named."""
        return await self._ask("/predict", photo, query, context, deadline)

    async def explain(
        self, photo: bytes | bytearray, *, query: Mapping[str, str], context: RequestContext, deadline: float
    ) -> Answer:
        """The prediction for a photo, and what in the picture speaks for it."""
        return await self._ask("/explain", photo, query, context, deadline)

    async def models(self, *, context: RequestContext, deadline: float) -> Answer:
        """The models served."""
        return await self._upstream.ask("/models", context=context, deadline=deadline)

    async def _ask(
        self, path: str, photo: bytes | bytearray, query: Mapping[str, str], context: RequestContext, deadline: float
    ) -> Answer:
        target = f"{path}?{urlencode(query)}" if query else path
        return await self._upstream.ask(target, context=context, deadline=deadline, body=photo)
