"""The HTTP side of inference: what is read from a request, and the JSON that answers it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

import uuid_utils
from events.prediction import PredictionEvent
from nnlib.errors import ImageError, UnsupportedFormat
from nnlib.manifest import Manifest
from servicekit.request_context import request_context
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inference.deadline import Deadline
from inference.errors import DeadlineExceeded, UnsupportedImage, UnusableImage
from inference.event_publisher import EventPublisher
from inference.metrics import InferenceMetrics
from inference.model_registry import ModelRegistry
from inference.predictor import ImagePrediction, predict_image
from inference.request_body import read_body
from inference.settings import InferenceSettings
from inference.workers import Workers

_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class PredictionRoutes:
    """Plain Starlette routes: FastAPI's own cost more than the network's forward pass."""

    def __init__(
        self,
        settings: InferenceSettings,
        *,
        models: ModelRegistry,
        workers: Workers,
        publisher: EventPublisher,
        metrics: InferenceMetrics,
    ) -> None:
        self._settings = settings
        self._models = models
        self._workers = workers
        self._publisher = publisher
        self._metrics = metrics

    def routes(self) -> list[Route]:
        return [
            Route("/predict", self.predict, methods=["POST"]),
            Route("/models", self.list_models, methods=["GET"]),
        ]

    async def predict(self, request: Request) -> Response:
        """``POST /predict?model=NAME``: the bytes of one image, under any content type."""
        deadline = Deadline.of(request, longest_seconds=self._settings.request_timeout_seconds)
        model = self._models.get(request.query_params.get("model"))
        try:
            async with asyncio.timeout(deadline.remaining_seconds):
                with self._workers.admit():
                    data = await read_body(request, max_bytes=self._settings.max_upload_bytes)
                    arrived = time.perf_counter()
                    prediction = await self._workers.run(
                        partial(
                            predict_image, model, data, max_pixels=self._settings.max_image_pixels, deadline=deadline
                        )
                    )
        except TimeoutError:
            raise DeadlineExceeded from None
        except ImageError as error:
            self._metrics.count_rejected(error)
            refusal = UnsupportedImage if isinstance(error, UnsupportedFormat) else UnusableImage
            raise refusal(f"The image cannot be used: {error}.") from None
        self._metrics.observe_stages(prediction.seconds)
        event = _event(request, model.manifest, prediction, len(data), time.perf_counter() - arrived)
        await self._publisher.publish(event)
        return _json_response(_answer(event))

    async def list_models(self, request: Request) -> Response:
        """``GET /models``: what is served, from the manifests."""
        default = self._models.default_name
        return _json_response({"models": [_summary(model.manifest, default) for model in self._models]})


def _event(
    request: Request, manifest: Manifest, prediction: ImagePrediction, image_bytes: int, total_seconds: float
) -> PredictionEvent:
    context = request_context(request.scope)
    return PredictionEvent(
        prediction_id=str(uuid_utils.uuid7()),
        time=datetime.now(UTC),
        model_name=manifest.name,
        model_version=manifest.version,
        label=prediction.label,
        cat_probability=prediction.cat_probability,
        certain=prediction.certain,
        decode_seconds=prediction.seconds.decode,
        forward_seconds=prediction.seconds.forward,
        total_seconds=total_seconds,
        image_format=prediction.image_format,
        image_width=prediction.image_width,
        image_height=prediction.image_height,
        image_bytes=image_bytes,
        features=prediction.features,
        request_id=context.request_id,
        traceparent=context.traceparent,
    )


def _answer(event: PredictionEvent) -> dict[str, object]:
    """The answer says what the event says: both are made from the one."""
    return {
        "prediction_id": event.prediction_id,
        "label": event.label,
        "confidence": round(event.confidence, 6),
        "cat_probability": event.cat_probability,
        "certain": event.certain,
        "model": {"name": event.model_name, "version": event.model_version},
        "image": {"format": event.image_format, "width": event.image_width, "height": event.image_height},
        "timings_ms": {
            "decode": _milliseconds(event.decode_seconds),
            "forward": _milliseconds(event.forward_seconds),
            "total": _milliseconds(event.total_seconds),
        },
    }


def _summary(manifest: Manifest, default_name: str) -> dict[str, object]:
    reference = manifest.raw.get("reference")
    return {
        "name": manifest.name,
        "version": manifest.version,
        "default": manifest.name == default_name,
        "classes": list(manifest.classes),
        "metrics": manifest.raw.get("metrics", {}),
        "conformal": {"coverage": manifest.coverage},
        "reference": {"images": reference.get("images")} if reference else None,
        "created": manifest.created,
        "sha256": manifest.sha256,
    }


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _json_response(body: Mapping[str, object]) -> Response:
    return Response(_to_json(body), media_type="application/json")
