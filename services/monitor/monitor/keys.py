"""The names of what the monitor keeps in Redis. See README.md for what each key holds and when it expires."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.counted_prediction import CountedPrediction
from monitor.windows import SPANS, Span


@dataclass(frozen=True, slots=True)
class Keys:
    """``namespace`` begins every key, so that a second set of aggregates can be built beside the live one."""

    namespace: str = "catnet"

    @property
    def pipeline(self) -> str:
        """Hash: stream entries by what became of them (``Accounts``); last_event_us, the newest event's time."""
        return f"{self.namespace}:pipeline"

    @property
    def models(self) -> str:
        """Hash: name/version of every model seen -> its events."""
        return f"{self.namespace}:models"

    def total(self, model: str) -> str:
        """Hash: the counts of one model since the beginning."""
        return f"{self.namespace}:total:{model}"

    def bucket(self, span: Span, model: str, start: int) -> str:
        """Hash: the counts of one model within the minute or hour that begins at ``start`` (epoch seconds)."""
        return f"{self.namespace}:{span.name}:{model}:{start}"

    def counted(self, hour: int) -> str:
        """Hash: id of a prediction made in this hour since the epoch -> ``CountedPrediction`` as text."""
        return f"{self.namespace}:counted:{hour}"

    @property
    def feedback_log(self) -> str:
        """Stream: what people said of predictions, in the order in which it was counted."""
        return f"{self.namespace}:feedback"

    @property
    def nothing(self) -> str:
        """No key: there is never anything here."""
        return f"{self.namespace}:nothing"

    def reference(self, model: str) -> str:
        """Hash: the reference that an operator adopted for a model: adopted_at, start, end, events, features (JSON)."""
        return f"{self.namespace}:reference:{model}"

    def reference_log(self, model: str) -> str:
        """List: every adoption and revocation, as JSON, the newest last."""
        return f"{self.namespace}:reference_log:{model}"

    def counts(self, counted: CountedPrediction) -> list[str]:
        """The hashes of counts that a prediction is in."""
        buckets = [self.bucket(span, counted.model, span.start_of(counted.time)) for span in SPANS]
        return [*buckets, self.total(counted.model)]

    @property
    def kinds_of_counts(self) -> list[str]:
        """What the keys of buckets and totals begin with."""
        return [*(f"{self.namespace}:{span.name}" for span in SPANS), f"{self.namespace}:total"]
