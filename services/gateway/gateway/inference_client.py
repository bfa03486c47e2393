"""What the gateway asks of inference."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextlib import AbstractAsyncContextManager
from urllib.parse import quote

from servicekit.request_context import RequestContext

from gateway.transport import Answer, AnswerStream, Content
from gateway.upstream import Upstream, with_query


class InferenceClient:
    """The queries, which name models and methods, are inference's to understand; about a photo they come as they go."""

    def __init__(self, upstream: Upstream) -> None:
        self.circuit = upstream.circuit
        self._upstream = upstream

    def predict(self, photo: Content, *, query: str, context: RequestContext, deadline: float) -> Awaitable[Answer]:
        """The prediction for a photo, by the default model or the one named."""
        target = f"/predict?{query}" if query else "/predict"
        return self._upstream.ask(target, context=context, deadline=deadline, body=photo)

    def explain(self, photo: Content, *, query: str, context: RequestContext, deadline: float) -> Awaitable[Answer]:
        """The prediction for a photo, and what in the picture speaks for it."""
        target = f"/explain?{query}" if query else "/explain"
        return self._upstream.ask(target, context=context, deadline=deadline, body=photo)

    def models(self, *, context: RequestContext, deadline: float) -> Awaitable[Answer]:
        """The models served."""
        return self._upstream.ask("/models", context=context, deadline=deadline)

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
        target = with_query("/models/" + "/".join(quote(part, safe="") for part in path), query)
        return self._upstream.stream(target, media_type=media_type, headers={}, context=context, deadline=deadline)
