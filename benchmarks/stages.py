"""Where inference's CPU goes for one photo: decoding, the features that drift is measured on, the forward pass.

Decoding is shown beside the baseline's, which decodes whole and then resizes. Both take turns on one thread; each
figure is the median over the turns.

By itself: ``PYTHONPATH=deploy/local python -m benchmarks.stages``.
"""

from __future__ import annotations

import io
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as inference is run; read when NumPy is loaded

import numpy as np
from nnlib.artifact import load_model
from nnlib.picture_features import picture_features
from nnlib.preprocessing import preprocess
from PIL import Image
from redis_server import ROOT

from benchmarks.photos import drawn_photo, encoded

TURNS = 15
TURN_SECONDS = 0.02
MODELS = ("catnet-mlp", "catnet")


@dataclass(frozen=True, slots=True)
class _Photo:
    name: str
    data: bytes


def measure_stages() -> str:
    """Run the benchmark. Returns: the results as Markdown."""
    photos = [
        _Photo(f"{width}x{height} {image_format}", encoded(drawn_photo(width, height), image_format))
        for width, height, image_format in (
            (640, 480, "JPEG"),
            (4000, 3000, "JPEG"),
            (640, 480, "PNG"),
            (64, 64, "JPEG"),
        )
    ]
    return "\n".join([*_decoding_table(photos), "", *_other_stages(photos[0])])


def _decoding_table(photos: Sequence[_Photo]) -> list[str]:
    lines = ["| photo | kilobytes | decode µs | baseline's µs | ratio |", "|---|---|---|---|---|"]
    for photo in photos:
        ours, theirs = _alternate(partial(preprocess, photo.data), partial(_baseline, photo.data))
        lines.append(
            f"| {photo.name} | {len(photo.data) / 1000:.0f} | {ours:.0f} | {theirs:.0f} | x{ours / theirs:.2f} |"
        )
    return lines


def _other_stages(photo: _Photo) -> list[str]:
    """These are the same for every photo: they begin with the 64x64 picture."""
    pixels = preprocess(photo.data).pixels
    models = {name: load_model(ROOT / "models" / name / "1") for name in MODELS}
    features, *forwards = _alternate(
        partial(picture_features, pixels),
        *(partial(model.predict, pixels[np.newaxis]) for model in models.values()),
    )
    lines = ["| stage, for any photo | µs |", "|---|---|", f"| features | {features:.0f} |"]
    return lines + [f"| forward, {name} | {forward:.0f} |" for name, forward in zip(models, forwards, strict=True)]


def _baseline(data: bytes) -> object:
    """What `baseline/app.py` does before its network."""
    photo = Image.open(io.BytesIO(data)).convert("RGB").resize((64, 64))
    return np.asarray(photo, dtype=np.float64).reshape(1, -1) / 255


def _alternate(*works: Callable[[], object]) -> list[float]:
    """CPU microseconds a call of each."""
    calls = [_calls_in_a_turn(work) for work in works]
    turns = [[_cpu_seconds(work, count) for work, count in zip(works, calls, strict=True)] for _ in range(TURNS)]
    return [statistics.median(turn) * 1e6 for turn in zip(*turns, strict=True)]


def _calls_in_a_turn(work: Callable[[], object]) -> int:
    work()
    return max(1, round(TURN_SECONDS / _cpu_seconds(work, 3)))


def _cpu_seconds(work: Callable[[], object], calls: int) -> float:
    began = time.thread_time()
    for _ in range(calls):
        work()
    return (time.thread_time() - began) / calls


if __name__ == "__main__":
    print(measure_stages())
