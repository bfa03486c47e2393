"""The protocol's addresses, each with a slash at its end or without; errors are ``{"error": "…"}``."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version

import numpy as np
from nnlib.model import Model
from servicekit.health import Health
from servicekit.interruption import while_client_waits
from servicekit.problems import problem_response
from servicekit.request_context import request_context
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from inference.deadline import Deadline
from inference.errors import UnsupportedImage, UnusableImage
from inference.json_response import json_response
from inference.open_inference.content_encoding import ENCODINGS, decoded
from inference.open_inference.infer_request import InferRequest, read_infer_request
from inference.open_inference.infer_response import infer_response
from inference.prediction_service import PredictionService
from inference.predictor import ReadImage, read_pixels
from inference.request_body import read_body
from inference.served_models import ServedModels
from inference.settings import InferenceSettings
from inference.workers import Workers

PREFIX = "/v2"
HEADER_LENGTH = "inference-header-content-length"

_MODEL = PREFIX + "/models/{model}"
_VERSION = _MODEL + "/versions/{version}"

_INPUTS = [
    {"name": "pixels", "datatype": "UINT8", "shape": [-1, 64, 64, 3]},
    {"name": "image", "datatype": "BYTES", "shape": [-1]},
]
_OUTPUTS = [
    {"name": "cat_probability", "datatype": "FP32", "shape": [-1, 1]},
    {"name": "label", "datatype": "BYTES", "shape": [-1]},
]


class OpenInferenceRoutes:
    def __init__(
        self,
        settings: InferenceSettings,
        *,
        health: Health,
        models: ServedModels,
        workers: Workers,
        service: PredictionService,
    ) -> None:
        self._settings = settings
        self._health = health
        self._models = models
        self._workers = workers
        self._service = service

    def routes(self) -> list[Route]:
        get, post = ["GET"], ["POST"]
        routes = [
            Route(PREFIX, self.server_metadata, methods=get),
            Route(PREFIX + "/health/live", self.server_live, methods=get),
            Route(PREFIX + "/health/ready", self.server_ready, methods=get),
        ]
        for model in (_MODEL, _VERSION):
            routes += [
                Route(model, self.model_metadata, methods=get),
                Route(model + "/ready", self.model_ready, methods=get),
                Route(model + "/infer", self.infer, methods=post),
            ]
        for route in routes:
            route.path_regex = re.compile(route.path_regex.pattern.removesuffix("$") + "/?$")
        return routes

    async def server_metadata(self, request: Request) -> Response:
        return json_response(
            {"name": "catnet", "version": version("catnet-inference"), "extensions": ["binary_tensor_data"]}
        )

    async def server_live(self, request: Request) -> Response:
        return json_response({"live": True})

    async def server_ready(self, request: Request) -> Response:
        ready, _ = await self._health.report()
        return json_response({"ready": True}) if ready else json_response({"ready": False, "error": "not ready"}, 503)

    async def model_metadata(self, request: Request) -> Response:
        model = self._asked_for(request)
        name = model.manifest.name
        return json_response(
            {
                "name": name,
                "versions": self._models.current.versions(name),
                "platform": "catnet_nnlib",
                "inputs": _INPUTS,
                "outputs": _OUTPUTS,
            }
        )

    async def model_ready(self, request: Request) -> Response:
        """A model that is served is ready: it was tried before it took traffic."""
        return json_response({"name": self._asked_for(request).manifest.name, "ready": True})

    async def infer(self, request: Request) -> Response:
        """Predict a batch; of several images, one that cannot be used refuses the request and is named."""
        deadline = Deadline.of(request.scope, longest_seconds=self._settings.request_timeout_seconds)
        model = self._asked_for(request)
        with deadline.enforced(), self._workers.admit():
            body = await read_body(
                request.scope, request.receive, max_bytes=self._settings.max_upload_bytes, encodings=ENCODINGS
            )
            arrived = time.perf_counter()
            with while_client_waits(request.scope):
                asked = await self._workers.run(partial(self._read, body, request.headers))
                images = await self._read_images(asked, deadline)
                predictions = await self._service.predict_batch(model, images, deadline)
            total_seconds = time.perf_counter() - arrived
        context = request_context(request.scope)
        events = await asyncio.gather(
            *(
                self._service.answer(model, prediction, context, total_seconds=total_seconds)
                for prediction in predictions
            )
        )
        return infer_response(asked, model.manifest, events)

    def _read(self, body: bytes, headers: Headers) -> InferRequest:
        encoding = headers.get("content-encoding", "identity").lower()
        return read_infer_request(
            decoded(body, encoding, max_bytes=self._settings.max_upload_bytes),
            headers.get(HEADER_LENGTH),  # of the body before it was encoded
            max_images=self._settings.max_batch_images,
        )

    async def _read_images(self, asked: InferRequest, deadline: Deadline) -> list[ReadImage]:
        """One after the other, so that a batch stands in line with everybody else for each of its images."""
        if isinstance(asked.images, np.ndarray):
            pixels = asked.images
            return await self._workers.run(lambda: [read_pixels(picture) for picture in pixels])
        images = []
        for position, data in enumerate(asked.images):
            try:
                images.append(await self._service.read(data, deadline))
            except (UnsupportedImage, UnusableImage) as error:
                raise type(error)(f"Image {position}: {error.detail}") from None
        return images

    def _asked_for(self, request: Request) -> Model:
        return self._models.current.get("/".join(request.path_params.values()))


def error_response(scope: Scope, status: int, detail: str, headers: Mapping[str, str] | None) -> Response:
    """An error as the protocol words it, at the protocol's addresses, and as a problem elsewhere."""
    if not (scope["path"] == PREFIX or scope["path"].startswith(PREFIX + "/")):
        return problem_response(scope, status, detail, headers)
    response = json_response({"error": detail}, status)
    response.headers.update(headers or {})
    return response
