"""What people say of predictions: joined to the prediction, counted once each, replaceable, logged."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from events.prediction import LABELS, Label
from servicekit.problems import Problem

from monitor.aggregates import feedback_counts
from monitor.counted_prediction import CountedPrediction, hour_made, says_when_made
from monitor.manifests import Manifests
from monitor.redis_stream import RedisStream
from monitor.windows import HOUR

MAX_BODY_BYTES = 1024
WAIT_SECONDS = 1.0
"""How long an unknown prediction may still be on its way through the stream."""
POLL_SECONDS = 0.05


class BadFeedback(Problem):
    """A body that says nothing of a prediction."""

    status = 400


class UnknownPrediction(Problem):
    """No prediction of this id is remembered: there was none, or it was too long ago."""

    status = 404


class NotCountedYet(Problem):
    """The stream has not been read up to now, so nobody can say whether there is such a prediction."""

    status = 503


@dataclass(frozen=True, slots=True)
class Feedback:
    prediction_id: UUID
    label: Label

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """Raises: BadFeedback if the body is not {"prediction_id": UUID, "label": "cat" or "non-cat"}."""
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            raise BadFeedback("the body is not JSON") from None
        if not isinstance(content, dict) or set(content) != {"prediction_id", "label"}:
            raise BadFeedback("the body is an object of prediction_id and label")
        if content["label"] not in LABELS:
            raise BadFeedback(f"label is one of {', '.join(LABELS)}")
        try:
            return cls(UUID(content["prediction_id"]), content["label"])
        except (ValueError, TypeError, AttributeError):
            raise BadFeedback("prediction_id is not a UUID") from None


class FeedbackDesk:
    """Takes feedback for predictions made within the hours for which predictions are remembered."""

    def __init__(self, stream: RedisStream, manifests: Manifests, *, remembered_hours: int) -> None:
        self._stream = stream
        self._manifests = manifests
        self._remembered_hours = remembered_hours

    async def take(self, feedback: Feedback) -> Mapping[str, Any]:
        """Count it, once; saying the same again changes nothing, saying something else replaces it.

        Returns: the prediction as the answer shows it.
        Raises: UnknownPrediction, NotCountedYet, RedisAway.
        """
        prediction_id = str(feedback.prediction_id)
        while True:
            key, known = await self._wait_for(feedback.prediction_id)
            if known.truth == feedback.label:
                break
            name, _, version = known.model.partition("/")
            changes = feedback_counts(known, feedback.label, self._manifests.get(name, version))
            if await self._stream.tell((key, prediction_id), known, known.told(feedback.label), changes):
                break  # otherwise somebody else was told of it meanwhile: look again
        return {
            "prediction_id": prediction_id,
            "label": feedback.label,
            "predicted": known.label,
            "agrees": known.label == feedback.label,
            "replaced": known.truth,
        }

    async def _wait_for(self, prediction_id: UUID) -> tuple[str, CountedPrediction]:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            accounts = await self._stream.accounts()  # before the search: what was counted by now is found
            places = self._places(prediction_id)
            texts = await self._stream.counted([(key, str(prediction_id)) for key in places])
            for key, text in zip(places, texts, strict=True):
                if text:
                    return key, CountedPrediction.from_text(text)
            if not accounts.lag and not accounts.pending:
                await self._stream.check_takes_events()  # else inference may keep this one back
                raise UnknownPrediction("no such prediction is remembered")
            if time.monotonic() > deadline:
                raise NotCountedYet("the prediction may not have been counted yet", headers={"Retry-After": "1"})
            await asyncio.sleep(POLL_SECONDS)

    def _places(self, prediction_id: UUID) -> list[str]:
        """Where a prediction can be remembered: one place if its id says when it was made."""
        now = time.time()
        if says_when_made(str(prediction_id)):
            return [self._stream.keys.counted(hour_made(str(prediction_id), now))]
        newest = int((now + HOUR.seconds) // HOUR.seconds)
        return [self._stream.keys.counted(newest - hours) for hours in range(self._remembered_hours + 2)]
