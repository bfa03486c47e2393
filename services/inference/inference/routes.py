"""The project's own HTTP side of inference: what is read from a request, and the JSON that answers it."""

from __future__ import annotations

import time
from functools import lru_cache

from nnlib.manifest import Manifest
from servicekit.direct_route import DirectRoute
from servicekit.interruption import while_client_waits
from servicekit.request_context import request_context
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from inference.deadline import Deadline
from inference.errors import ReloadRefused
from inference.json_response import json_response, send_json
from inference.model_registry import ModelRefused, ModelRegistry
from inference.prediction_answer import prediction_answer
from inference.prediction_service import PredictionService
from inference.request_body import read_body
from inference.served_models import ServedModels
from inference.settings import InferenceSettings
from inference.workers import Workers


class PredictionRoutes:
    """Plain Starlette routes: FastAPI's own cost more than the network's forward pass."""

    def __init__(
        self, settings: InferenceSettings, *, models: ServedModels, workers: Workers, service: PredictionService
    ) -> None:
        self._settings = settings
        self._models = models
        self._workers = workers
        self._service = service

    def routes(self) -> list[Route]:
        return [
            DirectRoute("/predict", self.predict, method="POST"),
            Route("/models", self.list_models, methods=["GET"]),
            Route("/models/reload", self.reload_models, methods=["POST"]),
        ]

    async def predict(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``POST /predict?model=NAME``: the bytes of one image, under any content type."""
        deadline = Deadline.of(scope, longest_seconds=self._settings.request_timeout_seconds)
        model = self._models.current.get(_model_in(scope["query_string"]))
        with deadline.enforced(), self._workers.admit():
            data = await read_body(scope, receive, max_bytes=self._settings.max_upload_bytes)
            arrived = time.perf_counter()
            with while_client_waits(scope):
                prediction = await self._service.predict(model, data, deadline)
            total_seconds = time.perf_counter() - arrived
        event = await self._service.answer(model, prediction, request_context(scope), total_seconds=total_seconds)
        await send_json(send, prediction_answer(event))

    async def list_models(self, request: Request) -> Response:
        """``GET /models``: what is served, from the manifests."""
        return json_response(_listing(self._models.current))

    async def reload_models(self, request: Request) -> Response:
        """``POST /models/reload``: read the models folder again; answers what is served from now on."""
        try:
            await self._models.reload()
        except ModelRefused as error:
            folder = self._settings.models_dir
            raise ReloadRefused(str(error).replace(str(folder), folder.name)) from None  # where it is concerns nobody
        return json_response(_listing(self._models.current))


@lru_cache(maxsize=64)
def _model_in(query: bytes) -> str | None:
    """The model that is asked for: mostly one of few, while reading a query costs as much as answering it in JSON."""
    return QueryParams(query).get("model")


def _listing(models: ModelRegistry) -> dict[str, object]:
    return {
        "models": [_summary(model.manifest, is_default=model is models.default) for model in models],
    }


def _summary(manifest: Manifest, *, is_default: bool) -> dict[str, object]:
    reference = manifest.raw.get("reference")
    return {
        "name": manifest.name,
        "version": manifest.version,
        "default": is_default,
        "classes": list(manifest.classes),
        "metrics": manifest.raw.get("metrics", {}),
        "conformal": {"coverage": manifest.coverage},
        "reference": {"images": reference.get("images")} if reference else None,
        "created": manifest.created,
        "sha256": manifest.sha256,
    }
