"""What the gateway asks of inference."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from servicekit.request_context import RequestContext
from yarl import URL

from gateway.transport import Answer, AnswerStream
from gateway.upstream import Upstream


class InferenceClient:
    """The queries, which name models and methods, are inference's to understand."""

    def __init__(self, url: URL, upstream: Upstream) -> None:
        self.circuit = upstream.circuit
        self._predict_url = url / "predict"
        self._explain_url = url / "explain"
        self._models_url = url / "models"
        self._upstream = upstream

    async def predict(
        self, photo: bytes, *, query: Mapping[str, str], context: RequestContext, deadline: float
    ) -> Answer:
        """The prediction for a photo, by the default model or the one named."""
        return await self._ask(self._predict_url, photo, query, context, deadline)

    async def explain(
        self, photo: bytes, *, query: Mapping[str, str], context: RequestContext, deadline: float
    ) -> Answer:
        """The prediction for a photo, and what in the picture speaks for it."""
        return await self._ask(self._explain_url, photo, query, context, deadline)

    async def models(self, *, context: RequestContext, deadline: float) -> Answer:
        """The models served."""
        return await self._upstream.ask(self._models_url, context=context, deadline=deadline)

    def model_file(
        self,
        path: tuple[str, str, str],
        *,
        query: Mapping[str, str],
        media_type: str,
        context: RequestContext,
        deadline: float,
    ) -> AbstractAsyncContextManager[AnswerStream]:
        """A file of a model, by the model's name and version and the file's name, as it arrives."""
        url = self._models_url.joinpath(*path).with_query(query)
        return self._upstream.stream(url, media_type=media_type, headers={}, context=context, deadline=deadline)

    async def _ask(
        self, url: URL, photo: bytes, query: Mapping[str, str], context: RequestContext, deadline: float
    ) -> Answer:
        url = url.with_query(query) if query else url
        return await self._upstream.ask(url, context=context, deadline=deadline, body=photo)
