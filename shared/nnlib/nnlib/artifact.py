"""A model on disk: model.safetensors (float32 arrays) beside manifest.json. Never pickle.

A folder that is damaged or tampered with is refused with the file and the reason, and nothing of it is used: the
manifest is checked field by field, the weights' SHA-256 must be the manifest's, and every array must have the name,
shape and type that the architecture asks for and hold finite numbers.
"""

import hashlib
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from nnlib.arrays import Array
from nnlib.errors import ArtifactError, ShapeError
from nnlib.files import write_atomically
from nnlib.initializers import zeros
from nnlib.manifest import FORMAT_VERSION, Manifest
from nnlib.model import Model
from nnlib.network import Network, build_network

WEIGHTS_FILE = "model.safetensors"
MANIFEST_FILE = "manifest.json"

_MAX_BYTES = {WEIGHTS_FILE: 1 << 30, MANIFEST_FILE: 16 << 20}


def load_model(folder: Path) -> Model:
    """Read a model folder, check all of it, and return it ready to serve.

    Raises: ArtifactError naming the file and the reason.
    """
    manifest = _read_manifest(folder / MANIFEST_FILE)
    arrays = _read_weights(folder / WEIGHTS_FILE, manifest.sha256)
    try:
        network = build_network(manifest.architecture, rng=np.random.default_rng(0), initializer=zeros)
    except ValueError as error:
        raise ArtifactError(f"{folder / MANIFEST_FILE}: {error}") from error
    try:
        network.load(arrays)
    except ShapeError as error:
        raise ArtifactError(f"{folder / WEIGHTS_FILE}: {error}") from error
    return Model(network, manifest)


def save_model(folder: Path, network: Network, description: Mapping[str, Any]) -> Manifest:
    """Write a network in float32 and its manifest: `description` plus format version, architecture and SHA-256.

    Each file appears whole or not at all. The manifest comes last, so a reader in between finds a hash that does not
    match and refuses, rather than new weights under an old description.
    Raises: ArtifactError if the description is not a valid manifest; nothing is written then.
    """
    weights = safetensors.numpy.save(
        {
            name: np.ascontiguousarray(value, np.float32)
            for name, value in (network.parameters() | network.state()).items()
        }
    )
    fields = {
        "format_version": FORMAT_VERSION,
        **description,
        "architecture": network.architecture(),
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    try:
        manifest = Manifest.from_json(fields)
        text = json.dumps(fields, indent=1, allow_nan=False, ensure_ascii=False)
    except ValueError as error:
        raise ArtifactError(f"{folder / MANIFEST_FILE}: {error}") from error
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / WEIGHTS_FILE, weights)
    write_atomically(folder / MANIFEST_FILE, text.encode() + b"\n")
    return manifest


def _read_manifest(path: Path) -> Manifest:
    try:
        return Manifest.from_json(json.loads(_read(path), parse_constant=_refuse_constant))
    except (ValueError, RecursionError) as error:  # JSON and UTF-8 errors are ValueErrors too
        raise ArtifactError(f"{path}: {error}") from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _read_weights(path: Path, sha256: str) -> dict[str, Array]:
    data = _read(path)
    actual = hashlib.sha256(data).hexdigest()
    if actual != sha256:
        raise ArtifactError(f"{path}: SHA-256 is {actual}, the manifest says {sha256}")
    try:
        arrays = safetensors.numpy.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ArtifactError(f"{path}: not a safetensors file ({error})") from error
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise ArtifactError(f"{path}: {name} is {array.dtype}, expected float32")
        if not np.isfinite(array).all():
            raise ArtifactError(f"{path}: {name} holds numbers that are not finite")
    return arrays


def _read(path: Path) -> bytes:
    """A bounded read: a file swapped for a huge one must not take the process down, nor a pipe hold it up for ever."""
    limit = _MAX_BYTES[path.name]
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactError(f"{path}: is no regular file")
        if status.st_size > limit:
            raise ArtifactError(f"{path}: larger than {limit:,} bytes")
        with path.open("rb") as file:
            return file.read(status.st_size)
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror}") from error
