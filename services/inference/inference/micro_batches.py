"""Images that are ready at about the same time are measured and predicted together, on the event loop.

What the steps need, the network's weights above all, is then fetched into the processor's cache once for all of them,
and their events share a transaction. Nobody waits where nobody follows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from nnlib.model import Model

from inference.predictor import DecodedImage, ImagePrediction, measure, predict_batch

MAX_IMAGES = 8
"""Predicted at once: longer than they need, the event loop is not to be held up."""

GATHER_SECONDS = 0.003
"""Longest that an image waits for others."""


@dataclass(slots=True)
class _Entry:
    model: Model
    image: DecodedImage
    prediction: asyncio.Future[ImagePrediction]


class MicroBatches:
    """For models so quick that many images hold the event loop up no longer than one would in another."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._gathering: asyncio.TimerHandle | None = None

    async def predict(self, model: Model, image: DecodedImage, *, in_the_making: int) -> ImagePrediction:
        """Predict one image with those that come within GATHER_SECONDS. What is answered does not depend on them.

        ``in_the_making``: how many are about to follow. Where none is, all that wait are predicted now.
        """
        loop = asyncio.get_running_loop()
        prediction: asyncio.Future[ImagePrediction] = loop.create_future()
        self._entries.append(_Entry(model, image, prediction))
        if not in_the_making or len(self._entries) >= MAX_IMAGES:
            self._predict_all()
        elif self._gathering is None:
            self._gathering = loop.call_later(GATHER_SECONDS, self._predict_all)
        return await prediction

    def _predict_all(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        entries = [entry for entry in self._entries if not entry.prediction.cancelled()]
        self._entries = []
        while entries:
            model = entries[0].model
            _predict(model, [entry for entry in entries if entry.model is model])
            entries = [entry for entry in entries if entry.model is not model]


def _predict(model: Model, entries: list[_Entry]) -> None:
    try:
        predictions = predict_batch(model, [measure(entry.image) for entry in entries])
    except Exception as error:  # it is raised where it is awaited
        for entry in entries:
            entry.prediction.set_exception(error)
        return
    for entry, prediction in zip(entries, predictions, strict=True):
        entry.prediction.set_result(prediction)
