"""What the monitor needs to know of a model: its bins, and what its features look like without drift.

Reads ``<models_dir>/<name>/<version>/manifest.json`` as plain JSON: the monitor needs no network to count.
"""

from __future__ import annotations

import json
import math
import re
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

_log = structlog.get_logger("manifests")

DEFAULT_CONFIDENCE_EDGES = tuple(round(0.5 + 0.05 * step, 2) for step in range(11))
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RETRY_SECONDS = 10.0
MAX_BYTES = 16 * 2**20
"""Inference serves no model with a larger manifest (``nnlib.artifact``)."""


class InvalidManifest(ValueError):
    """A manifest that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class PsiNull:
    """The PSI of windows without drift: its quantiles, one row a window size, one column a probability."""

    probabilities: tuple[float, ...]
    window_sizes: tuple[int, ...]
    quantiles: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class ReferenceFeature:
    """One feature's reference: bin i holds ``counts[i]`` values; the outer bins are open-ended.

    The bins of a feature that is no number have names, its ``categories``.
    """

    name: str
    bin_edges: tuple[float, ...]
    counts: tuple[int, ...]
    psi_null: PsiNull
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of one model. Of one without a manifest file: the default bins, and no features."""

    name: str
    version: str
    confidence_edges: tuple[float, ...] = DEFAULT_CONFIDENCE_EDGES
    features: tuple[ReferenceFeature, ...] = ()

    @property
    def model(self) -> str:
        return model_id(self.name, self.version)


def model_id(name: str, version: str) -> str:
    """How a model is written in keys, labels and reports."""
    return f"{name}/{version}"


def is_model_name(text: str) -> bool:
    """Whether a text can be the name or the version of a model; such a text is safe in keys, labels and paths."""
    return _NAME.fullmatch(text) is not None


def version_order(version: str) -> tuple[tuple[bool, int, str], ...]:
    """Sorts versions as people count them: 2 before 10, 1.9 before 1.10."""
    parts = re.findall(r"\d+|[^\d.]+", version)
    return tuple((part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts)


class Manifests:
    """The manifests of a folder, each read when its model is first seen."""

    def __init__(self, models_dir: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._models_dir = models_dir
        self._clock = clock
        self._known: dict[tuple[str, str], Manifest] = {}
        self._retry_at: dict[tuple[str, str], float] = {}

    def get(self, name: str, version: str) -> Manifest:
        """The manifest of a model; one with default bins while its file is missing or broken (asked again later)."""
        model = (name, version)
        if model in self._known:
            return self._known[model]
        if self._clock() >= self._retry_at.get(model, -math.inf):
            try:
                self._known[model] = _read(self._models_dir / name / version / "manifest.json", name, version)
                return self._known[model]
            except FileNotFoundError:
                pass
            except (OSError, InvalidManifest) as error:
                _log.error("manifest cannot be used", model=model_id(name, version), reason=str(error))
            self._retry_at[model] = self._clock() + _RETRY_SECONDS
        return Manifest(name, version)

    def versions(self, name: str) -> list[str]:
        """The versions of a model that have a manifest file."""
        return [path.parent.name for path in self._models_dir.glob(f"{name}/*/manifest.json")]

    def all(self) -> list[Manifest]:
        """Every model that has a manifest file."""
        paths = sorted(self._models_dir.glob("*/*/manifest.json"))
        return [self.get(path.parent.parent.name, path.parent.name) for path in paths]


def _read(path: Path, name: str, version: str) -> Manifest:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
        raise InvalidManifest(f"is no file of up to {MAX_BYTES:,} bytes")
    try:
        content = json.loads(path.read_bytes())
        reference = content["reference"]
        manifest = Manifest(
            name,
            version,
            confidence_edges=_increasing(content["confidence"]["bin_edges"]),
            features=read_features(reference["features"]) if reference is not None else (),
        )
    except InvalidManifest:
        raise
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise InvalidManifest(f"{type(error).__name__}: {error}") from error
    if (content.get("name"), content.get("version")) != (name, version):
        raise InvalidManifest("name and version differ from those of its folder")
    return manifest


def read_features(content: Sequence[Mapping[str, Any]]) -> tuple[ReferenceFeature, ...]:
    """The features of a reference, as a manifest writes them.

    Raises: InvalidManifest; KeyError, TypeError, ValueError for what is not even of that form.
    """
    return tuple(map(_feature, content))


def _feature(content: Mapping[str, Any]) -> ReferenceFeature:
    null = content["psi_null"]
    feature = ReferenceFeature(
        name=str(content["name"]),
        bin_edges=_increasing(content["bin_edges"]),
        counts=tuple(int(count) for count in content["counts"]),
        psi_null=PsiNull(
            probabilities=_increasing(null["probabilities"]),
            window_sizes=tuple(int(size) for size in _increasing(null["window_sizes"])),
            quantiles=tuple(_increasing(quantiles) for quantiles in null["quantiles"]),
        ),
        categories=tuple(map(str, content.get("categories", ()))),
    )
    null_shape = (len(feature.psi_null.window_sizes), {len(feature.psi_null.probabilities)})
    if null_shape != (len(feature.psi_null.quantiles), {len(row) for row in feature.psi_null.quantiles}):
        raise InvalidManifest(f"psi_null of {feature.name} has not one row a window size, one column a probability")
    if not 0 < feature.psi_null.probabilities[0] <= feature.psi_null.probabilities[-1] < 1:
        raise InvalidManifest(f"psi_null of {feature.name} has a probability outside 0 to 1")
    if len(feature.counts) != len(feature.bin_edges) - 1 or min(feature.counts) < 0:
        raise InvalidManifest(f"{feature.name} has not one count a bin")
    return feature


def _increasing(values: Any) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if len(numbers) < 2 or not all(map(math.isfinite, numbers)) or list(numbers) != sorted(numbers):
        raise InvalidManifest("edges, probabilities, sizes and quantiles are at least two finite, increasing numbers")
    return numbers
