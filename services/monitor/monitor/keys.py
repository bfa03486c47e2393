"""The names of what the monitor keeps in Redis. See README.md for what each key holds and when it expires."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.windows import Span


@dataclass(frozen=True, slots=True)
class Keys:
    """``namespace`` begins every key, so that a second set of aggregates can be built beside the live one."""

    namespace: str = "catnet"

    @property
    def pipeline(self) -> str:
        """Hash: how many stream entries were consumed, duplicates, dead and lost; last_event_us, the newest event."""
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

    def remembered(self, hour: int) -> str:
        """Set: ids counted (of predictions, of dead entries) that were made in this hour, in hours since the epoch."""
        return f"{self.namespace}:remembered:{hour}"
