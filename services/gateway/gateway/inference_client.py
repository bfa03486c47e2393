"""What the gateway asks of inference."""

from __future__ import annotations

from servicekit.request_context import RequestContext
from yarl import URL

from gateway.transport import Answer
from gateway.upstream import Upstream


class InferenceClient:
    def __init__(self, url: URL, upstream: Upstream) -> None:
        self._predict_url = url / "predict"
        self._models_url = url / "models"
        self._upstream = upstream

    async def predict(self, photo: bytes, *, model: str | None, context: RequestContext, deadline: float) -> Answer:
        """The prediction for a photo, by the default model or the one named."""
        url = self._predict_url if model is None else self._predict_url.with_query(model=model)
        return await self._upstream.ask(url, context=context, deadline=deadline, body=photo)

    async def models(self, *, context: RequestContext, deadline: float) -> Answer:
        """The models served."""
        return await self._upstream.ask(self._models_url, context=context, deadline=deadline)
