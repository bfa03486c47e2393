"""Labelled pictures from disk, split into a training and a test part.

Two layouts are read: the pair of HDF5 files of the Coursera course, and folders named after the class of the pictures
in them. Whatever the source, pictures arrive as uint8 (64, 64, 3), folders through the preprocessing that serving uses.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
from nnlib.arrays import Array
from nnlib.errors import DatasetError, ImageError
from nnlib.pictures import CAT_FOLDERS, in_part
from nnlib.preprocessing import IMAGE_SIZE, preprocess

TEST_ONE_IN = 5
VALIDATION_ONE_IN = 10

WHERE_FROM = """\
There are no training pictures in {folder}.

Point DATA at a folder that holds one of these:
  train_catvnoncat.h5 and test_catvnoncat.h5
      the original set, 209 + 50 pictures: the assignment "Deep Neural Network - Application" of the course
      "Neural Networks and Deep Learning" (deeplearning.ai on Coursera) has them in its datasets/ folder
  cat/ and any other folders, with pictures in them
      your own, or for example "Dogs vs. Cats" (kaggle.com/c/dogs-vs-cats); everything not in cat/ or cats/ counts
      as non-cat, and one picture in five is kept for testing
  train/ and test/, each with such class folders
      where you have split them yourself

for example:  make train DATA=~/pictures"""


def default_folder() -> Path:
    """$DATA, or the folder that lies beside this project where it was developed."""
    return Path(os.environ.get("DATA") or Path(__file__).parents[2] / "shared" / "data")


@dataclass(frozen=True)
class Pictures:
    """Labelled pictures.

    Shapes: pixels (samples, 64, 64, 3), targets (samples,).
    Units: pixels uint8 0..255, targets 1.0 for a cat, 0.0 for anything else.
    """

    pixels: npt.NDArray[np.uint8]
    targets: Array

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Split:
    """A data set: its name, what to train on, and what to look at once."""

    name: str
    train: Pictures
    test: Pictures


def load_split(folder: Path) -> Split:
    """Read whatever data set lies in a folder (or in its subfolder catvnoncat).

    Raises: DatasetError saying where the sets come from, if there is none, or what is wrong with the one there is.
    """
    if (folder / "catvnoncat").is_dir():
        folder = folder / "catvnoncat"
    if (folder / "train_catvnoncat.h5").is_file():
        split = _load_course(folder)
    elif (folder / "train").is_dir() and (folder / "test").is_dir():
        split = Split(folder.name, *(read_pictures(class_files(folder / part)) for part in ("train", "test")))
    elif folder.is_dir() and any(entry.name.lower() in CAT_FOLDERS for entry in folder.iterdir()):
        files = class_files(folder)
        split = Split(
            folder.name,
            read_pictures([file for file in files if not in_part(file.name, TEST_ONE_IN)]),
            read_pictures([file for file in files if in_part(file.name, TEST_ONE_IN)]),
        )
    else:
        raise DatasetError(WHERE_FROM.format(folder=folder))
    for part, pictures in (("training", split.train), ("test", split.test)):
        cats = int(pictures.targets.sum())
        if not 0 < cats < len(pictures):
            raise DatasetError(f"the {part} part of {folder} needs both classes: {cats} of {len(pictures)} are cats")
    return split


def class_files(folder: Path) -> list[Path]:
    """Every file of the class folders in a folder, in the order of their paths."""
    return sorted(file for file in folder.glob("*/*") if file.is_file() and not file.name.startswith("."))


def read_pictures(files: Sequence[Path]) -> Pictures:
    """Preprocess files as serving does; the name of a file's folder is its class.

    Raises: DatasetError naming the file that is no usable picture.
    """
    pixels = np.empty((len(files), IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    for position, file in enumerate(files):
        try:
            pixels[position] = preprocess(file.read_bytes()).pixels
        except ImageError as error:
            raise DatasetError(f"{file}: {error}") from error
    return Pictures(pixels, np.array([float(is_cat(file)) for file in files]))


def is_cat(file: Path) -> bool:
    return file.parent.name.lower() in CAT_FOLDERS


def evaluation_sets(folder: Path, split: Split) -> tuple[dict[str, Pictures], str]:
    """Everything there is to measure a model on, by name, and which of it serves for calibration and drift reference.

    That one is the validation part of cats64 where cats64 lies beside the training set, without Tiny ImageNet: its
    pictures are about twice as sharp as what serving makes of a photo. Elsewhere it is the training set's test part.
    """
    test = f"{split.name} test"
    sets = {f"{split.name} train": split.train, test: split.test}
    cats64 = folder / "cats64"
    if not cats64.is_dir():
        return sets, test
    validation = "cats64 validation without Tiny ImageNet"
    training_files, test_files = class_files(cats64 / "train"), class_files(cats64 / "test")
    sets[validation] = read_pictures(
        [file for file in training_files if in_part(file.name, VALIDATION_ONE_IN) and not _is_tiny_imagenet(file)]
    )
    sets["cats64 test"] = read_pictures(test_files)
    sets["cats64 test without Tiny ImageNet"] = read_pictures([f for f in test_files if not _is_tiny_imagenet(f)])
    return sets, validation


def _is_tiny_imagenet(file: Path) -> bool:
    return file.name.startswith("tin_")


def _load_course(folder: Path) -> Split:
    train, test = (_read_course_file(folder / f"{part}_catvnoncat.h5", part) for part in ("train", "test"))
    return Split("catvnoncat", train, test)


def _read_course_file(path: Path, part: str) -> Pictures:
    try:
        with h5py.File(path) as file:
            pixels, targets = file[f"{part}_set_x"][:], file[f"{part}_set_y"][:]
    except (OSError, KeyError) as error:
        raise DatasetError(f"{path}: not an HDF5 file with {part}_set_x and {part}_set_y") from error
    targets = targets.reshape(-1)
    if pixels.shape != (len(targets), IMAGE_SIZE, IMAGE_SIZE, 3) or pixels.dtype != np.uint8:
        raise DatasetError(f"{path}: {part}_set_x is {pixels.dtype} {pixels.shape}, expected uint8 (n, 64, 64, 3)")
    return Pictures(pixels, targets.astype(np.float64))
