"""What a publisher counts, so that every answered prediction can be found again or is known to be dropped.

The counters are absolute, never increments: a transaction that is sent again after a lost reply then changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_DROPPED_PREFIX = "dropped_"


@dataclass(slots=True)
class PublisherCounters:
    """One publisher's counters since it started: answered + shadow = published + buffered + sum(dropped).

    ``answered`` and ``shadow`` are the events taken over: of answered predictions, and of those of a shadow model.
    """

    answered: int = 0
    published: int = 0
    buffered: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    shadow: int = 0

    def to_fields(self) -> dict[str, str]:
        """The fields of the Redis hash."""
        fields = {
            "answered": str(self.answered),
            "shadow": str(self.shadow),
            "published": str(self.published),
            "buffered": str(self.buffered),
        }
        return fields | {_DROPPED_PREFIX + reason: str(count) for reason, count in self.dropped.items()}

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> PublisherCounters:
        """Read the Redis hash back.

        Raises: ValueError if a counter is not a whole number.
        """
        return cls(
            answered=int(fields.get("answered", 0)),
            published=int(fields.get("published", 0)),
            buffered=int(fields.get("buffered", 0)),
            dropped={
                name.removeprefix(_DROPPED_PREFIX): int(count)
                for name, count in fields.items()
                if name.startswith(_DROPPED_PREFIX)
            },
            shadow=int(fields.get("shadow", 0)),
        )
