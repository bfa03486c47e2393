"""The manifest of a model: what it is, how pictures become its inputs, and how its output is to be read.

It travels beside the weights as JSON, so that serving never retypes a mean, a size or a threshold.
"""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from nnlib.normalization import Normalization
from nnlib.novelty import Novelty
from nnlib.preprocessing import IMAGE_SIZE, RESAMPLE

FORMAT_VERSION = 1
CLASSES = ("non-cat", "cat")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Manifest:
    """The part of a manifest that serving needs, checked; `raw` is all of it, as the file has it.

    Units: coverage, threshold 0..1; sha256 in hexadecimal, of model.safetensors. novelty is None in older manifests.
    """

    name: str
    version: str
    created: str
    architecture: tuple[Mapping[str, Any], ...]
    normalization: Normalization
    classes: tuple[str, str]
    temperature: float
    coverage: float
    threshold: float
    sha256: str
    novelty: Novelty | None
    raw: Mapping[str, Any]

    @classmethod
    def from_json(cls, raw: object) -> Self:
        """Check what json.load() returned.

        Raises: ValueError naming the first field that is missing or wrong.
        """
        fields = _object(raw, "the manifest")
        if fields.get("format_version") != FORMAT_VERSION:
            raise ValueError(f"format_version is {fields.get('format_version')!r}, expected {FORMAT_VERSION}")
        preprocessing = _object(fields.get("preprocessing"), "preprocessing")
        for key, expected in (("size", IMAGE_SIZE), ("resample", RESAMPLE)):
            if preprocessing.get(key) != expected:
                raise ValueError(f"preprocessing.{key} is {preprocessing.get(key)!r}, expected {expected!r}")
        if fields.get("classes") != list(CLASSES):
            raise ValueError(f"classes is {fields.get('classes')!r}, expected {list(CLASSES)}")
        conformal = _object(fields.get("conformal"), "conformal")
        _check_bin_edges(_object(fields.get("confidence"), "confidence").get("bin_edges"))
        if fields.get("reference") is not None:
            _object(fields["reference"], "reference")
        novelty = fields.get("novelty")
        return cls(
            name=_text(fields.get("name"), "name", _NAME),
            version=_text(fields.get("version"), "version", _NAME),
            created=_text(fields.get("created"), "created"),
            architecture=_architecture(fields.get("architecture")),
            normalization=Normalization(
                scale=_number(preprocessing.get("scale"), "preprocessing.scale", low=1e-9),
                mean=_channels(preprocessing.get("mean"), "preprocessing.mean"),
                std=_channels(preprocessing.get("std"), "preprocessing.std", low=1e-9),
            ),
            classes=CLASSES,
            temperature=_number(fields.get("temperature"), "temperature", low=1e-9),
            coverage=_number(conformal.get("coverage"), "conformal.coverage", low=0, high=1),
            threshold=_number(conformal.get("threshold"), "conformal.threshold", low=0, high=1),
            sha256=_text(fields.get("sha256"), "sha256", _SHA256),
            novelty=None if novelty is None else Novelty.from_json(_object(novelty, "novelty")),
            raw=fields,
        )


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is missing or not an object")
    return value


def _text(value: object, where: str, pattern: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or (pattern is not None and not pattern.fullmatch(value)):
        raise ValueError(f"{where} is {value!r}, expected " + (pattern.pattern if pattern else "a text"))
    return value


def _number(value: object, where: str, *, low: float = -1e9, high: float = 1e9) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:  # NaN compares false
        raise ValueError(f"{where} is {value!r}, expected a number from {low:g} to {high:g}")
    return float(value)


def _channels(value: object, where: str, *, low: float = -1e9) -> tuple[float, float, float]:
    if not isinstance(value, list) or len(value) != 3:
        raise ValueError(f"{where} is {value!r}, expected one number for each of red, green, blue")
    red, green, blue = (_number(item, where, low=low) for item in value)
    return red, green, blue


def _architecture(value: object) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("architecture is missing or not a list of layers")
    return tuple(_object(entry, f"architecture entry {position}") for position, entry in enumerate(value))


def _check_bin_edges(value: object) -> None:
    if not isinstance(value, list) or len(value) < 2:
        raise ValueError("confidence.bin_edges is missing or not a list")
    edges = [_number(edge, "confidence.bin_edges", low=0, high=1) for edge in value]
    if any(after <= before for before, after in itertools.pairwise(edges)):
        raise ValueError("confidence.bin_edges are not ascending")
