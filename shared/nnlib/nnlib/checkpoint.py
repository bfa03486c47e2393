"""A training on disk, so that one that was killed goes on as if it had not been.

One safetensors file: parameters, state, their average, the optimizer's memory, each under its kind
("parameters/conv2d1.weight"), and in its header the step, what was trained and the history. It appears whole or not
at all.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from nnlib.arrays import Array
from nnlib.errors import CheckpointError
from nnlib.files import write_atomically

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """What is needed to go on after `step` steps. `identity` is what must be the same for going on to make sense."""

    step: int
    identity: Mapping[str, Any]
    history: list[dict[str, float]]
    arrays: Mapping[str, Mapping[str, Array]]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Replace the file at once, after its content has reached the disk."""
    header = {
        "format_version": FORMAT_VERSION,
        "step": checkpoint.step,
        "identity": checkpoint.identity,
        "history": checkpoint.history,
    }
    arrays = {
        f"{kind}/{name}": np.asarray(array, order="C")  # ascontiguousarray would give a number an axis
        for kind, named in checkpoint.arrays.items()
        for name, array in named.items()
    }
    write_atomically(path, safetensors.numpy.save(arrays, {"checkpoint": json.dumps(header)}))


def load_checkpoint(path: Path, *, identity: Mapping[str, Any] | None = None) -> Checkpoint:
    """Read a checkpoint; with an identity, only one of that training.

    Raises: CheckpointError naming the file and what is wrong: unreadable, damaged, or of another training (which part).
    """
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})["checkpoint"])
            flat = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
        if header["format_version"] != FORMAT_VERSION:
            raise CheckpointError(f"{path}: format version {header['format_version']}, expected {FORMAT_VERSION}")
        step, theirs, history = int(header["step"]), header["identity"], list(header["history"])
    except (OSError, safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: not a readable checkpoint ({error})") from error
    if identity is not None and (different := _differences(identity, theirs)):
        raise CheckpointError(f"{path}: it belongs to another training, which differs in {', '.join(different)}")
    arrays: dict[str, dict[str, Array]] = {}
    for full_name, array in flat.items():
        kind, _, name = full_name.partition("/")
        arrays.setdefault(kind, {})[name] = array
    return Checkpoint(step, theirs, history, arrays)


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Names of what is not the same, "recipe.seed"."""
    found = []
    for key in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(key), theirs.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            found += _differences(one, other, f"{prefix}{key}.")
        elif one != other:
            found.append(f"{prefix}{key}")
    return found
