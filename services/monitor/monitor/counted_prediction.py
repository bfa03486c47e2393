"""What is remembered of a prediction that was counted: enough to know a copy, and to join a person's feedback to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self, cast

from events.prediction import Label, PredictionEvent

from monitor.manifests import model_id
from monitor.windows import HOUR

MILLION = 1_000_000
_VERSION_DIGIT = 14
NO_PREDICTION = ""
"""What is remembered of an entry that was set aside, or was a shadow's: only that it was there."""


@dataclass(frozen=True, slots=True)
class CountedPrediction:
    """``truth`` is what a person said that it was, if anybody did. Units: ``time`` in whole epoch seconds."""

    model: str
    label: Label
    confidence_millionths: int
    time: int
    truth: Label | None = None

    @classmethod
    def of(cls, event: PredictionEvent) -> Self:
        model = model_id(event.model_name, event.model_version)
        return cls(model, event.label, round(event.confidence * MILLION), int(event.time.timestamp()))

    def to_text(self) -> str:
        text = f"{self.model} {self.label} {self.confidence_millionths} {self.time}"
        return text if self.truth is None else f"{text} {self.truth}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        model, label, confidence, time, *truth = text.split(" ")
        return cls(model, cast(Label, label), int(confidence), int(time), cast(Label, truth[0]) if truth else None)

    def told(self, truth: Label) -> Self:
        """The same prediction, and what it really was."""
        return replace(self, truth=truth)


def says_when_made(prediction_id: str) -> bool:
    """Whether an id, as ``str(UUID)`` writes it, is a UUIDv7, which holds its time (RFC 9562, section 5.7)."""
    return prediction_id[_VERSION_DIGIT] == "7"


def hour_made(prediction_id: str, time: float) -> int:
    """The hour, since the epoch, in which a prediction is remembered: the same for every copy of it.

    A UUIDv7 says itself when it was made, in milliseconds; for any other id the event's time has to do.
    """
    if says_when_made(prediction_id):
        return int(prediction_id[:8] + prediction_id[9:13], 16) // (1000 * HOUR.seconds)
    return int(time // HOUR.seconds)
