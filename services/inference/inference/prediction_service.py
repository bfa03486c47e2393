"""What every way of asking shares: work in threads, stages measured, one event a prediction, a share for the shadow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from events.prediction import PredictionEvent
from nnlib.errors import ImageError, UnsupportedFormat
from nnlib.model import Model
from servicekit.problems import Problem
from servicekit.request_context import RequestContext

from inference.deadline import Deadline
from inference.errors import UnsupportedImage, UnusableImage
from inference.event_publisher import EventPublisher
from inference.metrics import InferenceMetrics
from inference.micro_batches import MicroBatches
from inference.one_at_a_time import OneAtATime
from inference.prediction_events import event_of
from inference.predictor import (
    SMALL_IMAGE_BYTES,
    DecodedImage,
    HugePicture,
    ImagePrediction,
    ReadImage,
    decode_image,
    decode_small_image,
    predict_batch,
    predict_image,
    read_image,
)
from inference.shadow import Shadow
from inference.turns import Turns
from inference.under_way import UnderWay
from inference.workers import Workers

Result = TypeVar("Result")

QUICK_FORWARD_SECONDS = 0.0002
"""A model that needs less for one image holds the event loop up no longer than the rest of a request does."""

MAX_HUGE_PICTURES = 4
"""That wait for the one in work. They take up to two seconds each, and more of them would wait in vain."""


class PredictionService:
    def __init__(
        self,
        *,
        workers: Workers,
        publisher: EventPublisher,
        shadow: Shadow,
        metrics: InferenceMetrics,
        max_image_pixels: int,
    ) -> None:
        self._workers = workers
        self._publisher = publisher
        self._shadow = shadow
        self._metrics = metrics
        self._max_pixels = max_image_pixels
        self._huge_pictures = OneAtATime(workers, most_waiting=MAX_HUGE_PICTURES)
        self._turns = Turns()
        self._micro_batches = MicroBatches()
        self._in_decoding = UnderWay()
        self._on_the_loop = UnderWay()
        self._forward_seconds: dict[str, float] = {}
        """The least that one image took, by the model's hash."""

    async def predict(self, model: Model, data: bytes, deadline: Deadline) -> ImagePrediction:
        """Read and predict one image: in a thread, but for what takes less time than the way there and back.

        Raises: UnsupportedImage, UnusableImage, DeadlineExceeded.
        """
        try:
            if not self._is_quick(model):
                return await self._run(partial(predict_image, model, data, self._max_pixels, deadline=deadline))
            with self._in_decoding:
                decoded = await self._decode(data, deadline)
        except ImageError as error:
            raise self._refusal(error) from None
        return await self._micro_batches.predict(model, decoded, in_the_making=self._in_decoding.number)

    async def read(self, data: bytes, deadline: Deadline) -> ReadImage:
        """Read one image of a batch.

        Raises: UnsupportedImage, UnusableImage, DeadlineExceeded.
        """
        try:
            return await self._run(partial(read_image, data, self._max_pixels, deadline=deadline))
        except ImageError as error:
            raise self._refusal(error) from None

    async def predict_batch(
        self, model: Model, images: Sequence[ReadImage], deadline: Deadline
    ) -> list[ImagePrediction]:
        """Predict images together, in their order.

        Raises: DeadlineExceeded.
        """
        deadline.check()
        return await self._workers.run(partial(predict_batch, model, images))

    async def answer(
        self, model: Model, prediction: ImagePrediction, context: RequestContext, *, total_seconds: float
    ) -> PredictionEvent:
        """The event of a prediction, published: from here on it counts as answered. Never fails, waits a bound at most.

        ``total_seconds`` has passed since the last byte of the request came.
        """
        self._metrics.observe_stages(prediction)
        if prediction.forward_seconds < self._forward_seconds.setdefault(model.manifest.sha256, math.inf):
            self._forward_seconds[model.manifest.sha256] = prediction.forward_seconds
        event = event_of(prediction, model.manifest, context, total_seconds=total_seconds)
        await self._publisher.publish(event, in_the_making=self._on_the_loop.number)
        self._shadow.consider(event, prediction)
        return event

    async def _decode(self, data: bytes, deadline: Deadline) -> DecodedImage:
        """Raises: nnlib.errors.ImageError, DeadlineExceeded."""
        if len(data) <= SMALL_IMAGE_BYTES:
            with self._on_the_loop:
                await self._turns.take()
                if (decoded := decode_small_image(data, self._max_pixels)) is not None:
                    return decoded
        return await self._run(partial(decode_image, data, self._max_pixels, deadline=deadline))

    async def _run(self, read: Callable[..., Result]) -> Result:
        """Read an image in a thread; a huge one when no other huge one is in any. Raises: Overloaded."""
        with suppress(HugePicture):
            return await self._workers.run(read)
        return await self._huge_pictures.run(partial(read, takes_huge=True))

    def _is_quick(self, model: Model) -> bool:
        return self._forward_seconds.get(model.manifest.sha256, math.inf) < QUICK_FORWARD_SECONDS

    def _refusal(self, error: ImageError) -> Problem:
        """Count an image that cannot be used. Returns: its answer."""
        self._metrics.count_rejected(error)
        refusal = UnsupportedImage if isinstance(error, UnsupportedFormat) else UnusableImage
        return refusal(f"The image cannot be used: {error}.")
