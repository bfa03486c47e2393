"""What a model's traffic is compared with: the reference that an operator adopted, or else the manifest's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import structlog

from monitor.manifests import InvalidManifest, Manifest, ReferenceFeature, read_features
from monitor.redis_stream import RedisStream

_log = structlog.get_logger("references")


@dataclass(frozen=True, slots=True)
class Reference:
    """``adopted_at``, ``start`` and ``end`` are RFC 3339 times, of a reference from traffic only."""

    source: Literal["manifest", "traffic"]
    features: tuple[ReferenceFeature, ...]
    adopted_at: str | None = None
    start: str | None = None
    end: str | None = None
    events: int | None = None

    def described(self) -> dict[str, Any]:
        """All but the features."""
        return {
            "source": self.source,
            "adopted_at": self.adopted_at,
            "start": self.start,
            "end": self.end,
            "events": self.events,
        }


class References:
    """The references of all models; an adopted one is read again when another was adopted."""

    def __init__(self, stream: RedisStream) -> None:
        self._stream = stream
        self._adopted: dict[str, tuple[str, Reference | None]] = {}
        """By model: when it was adopted, and the reference; None for one that cannot be used, which is told once."""

    async def get(self, manifest: Manifest) -> Reference:
        """Raises: RedisAway."""
        adopted_at = await self._stream.reference_adopted_at(manifest.model)
        if adopted_at is None:
            self._adopted.pop(manifest.model, None)
            return Reference("manifest", manifest.features)
        known_at, known = self._adopted.get(manifest.model, (None, None))
        if known_at != adopted_at:
            known = _read(await self._stream.reference(manifest.model), manifest)
            self._adopted[manifest.model] = adopted_at, known
        return known or Reference("manifest", manifest.features)


def _read(fields: Mapping[str, str], manifest: Manifest) -> Reference | None:
    try:
        features = read_features(json.loads(fields["features"]))
        return Reference(
            "traffic", features, fields["adopted_at"], fields["start"], fields["end"], int(fields["events"])
        )
    except (InvalidManifest, ValueError, KeyError, TypeError) as error:
        _log.error("the adopted reference cannot be used", model=manifest.model, reason=type(error).__name__)
        return None
