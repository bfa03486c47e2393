"""Labelled pictures from a folder of class folders, kept decoded between runs."""

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nnlib.arrays import Array
from nnlib.errors import DatasetError, ImageError
from nnlib.files import write_atomically
from nnlib.preprocessing import IMAGE_SIZE, preprocess

CAT_FOLDERS = frozenset({"cat", "cats"})


@dataclass(frozen=True)
class LabelledPictures:
    """Pictures, what they show, and the names of their files; `skipped` names unusable files, with the reason.

    Shapes: pixels (samples, 64, 64, 3), targets (samples,).
    Units: pixels uint8 0..255; targets 1 for a cat, 0 for anything else.
    """

    pixels: npt.NDArray[np.uint8]
    targets: Array
    names: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def fingerprint(self) -> str:
        """SHA-256 of names and labels, in order: tells two data sets apart without reading every pixel."""
        lines = (f"{name} {target:g}\n" for name, target in zip(self.names, self.targets, strict=True))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def where(self, condition: Callable[[str], bool]) -> "LabelledPictures":
        """Those whose file name fulfils the condition."""
        chosen = [position for position, name in enumerate(self.names) if condition(name)]
        return LabelledPictures(self.pixels[chosen], self.targets[chosen], tuple(self.names[i] for i in chosen))


def read_pictures(folder: Path, *, cache: Path | None = None) -> LabelledPictures:
    """Read every picture of the class folders in a folder, by the order of their paths, as serving would.

    What is in a folder called cat or cats is a cat. With `cache`, a folder, the decoded pictures are kept there and
    read the next time, unless a file has come, gone or changed its size or time.
    Raises: DatasetError if the folder is not there, or if it holds no cat, or nothing else.
    """
    files = sorted(file for file in folder.glob("*/*") if file.is_file() and not file.name.startswith("."))
    if not files:
        raise DatasetError(f"{folder}: no pictures in class folders")
    pictures = _from_cache(folder, files, cache) if cache else _decode(folder, files)
    cats = int(pictures.targets.sum())
    if not 0 < cats < len(pictures):
        raise DatasetError(f"{folder}: cats and others are needed, but {cats} of {len(pictures)} pictures are cats")
    return pictures


def in_part(name: str, one_in: int) -> bool:
    """Whether a file belongs to the held-back part, one file in `one_in`: decided by its name, so it never changes."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % one_in == 0


def _decode(folder: Path, files: Sequence[Path]) -> LabelledPictures:
    pixels = np.empty((len(files), IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    kept: list[Path] = []
    skipped = []
    for file in files:
        try:
            pixels[len(kept)] = preprocess(file.read_bytes()).pixels
        except (ImageError, OSError) as error:
            skipped.append(f"{file.relative_to(folder)}: {error}")
        else:
            kept.append(file)
    targets = np.array([file.parent.name.lower() in CAT_FOLDERS for file in kept], np.float32)
    return LabelledPictures(pixels[: len(kept)], targets, tuple(file.name for file in kept), tuple(skipped))


def _npy(array: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _from_cache(folder: Path, files: Sequence[Path], cache: Path) -> LabelledPictures:
    """Two files named after the content of the folder: pixels, which replicas share in memory, and the rest as JSON."""
    listing = hashlib.sha256()
    for file in files:
        status = file.stat()
        listing.update(f"{file.relative_to(folder)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    stem = cache / f"{folder.name}-{listing.hexdigest()[:16]}"
    pixels_file, rest_file = stem.with_suffix(".npy"), stem.with_suffix(".json")
    if not rest_file.is_file():
        pictures = _decode(folder, files)
        cache.mkdir(parents=True, exist_ok=True)
        write_atomically(pixels_file, _npy(pictures.pixels))
        rest = {"targets": pictures.targets.tolist(), "names": pictures.names, "skipped": pictures.skipped}
        write_atomically(rest_file, json.dumps(rest).encode())  # last: it vouches for the pixels
    rest = json.loads(rest_file.read_bytes())
    pixels = np.load(pixels_file, mmap_mode="r", allow_pickle=False)
    return LabelledPictures(pixels, np.array(rest["targets"], np.float32), tuple(rest["names"]), tuple(rest["skipped"]))
