"""Where the tests find real pictures, and the small made-up data sets that stand in for them."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

DATA = Path(
    os.environ.get("CATNET_DATA") or os.environ.get("DATA") or Path(__file__).parents[3] / "shared" / "data"
).resolve()


@pytest.fixture(scope="session")
def course_data():
    """The folder with the original 209 + 50 pictures."""
    if not (DATA / "catvnoncat" / "train_catvnoncat.h5").is_file():
        pytest.skip("needs the catvnoncat pictures: set CATNET_DATA or DATA to the folder that holds catvnoncat/")
    return DATA


def draw(rng, is_cat):
    """A picture whose class can be learnt: "cats" are bright in the upper half, the others in the lower."""
    pixels = rng.integers(0, 100, (64, 64, 3))
    half = slice(0, 32) if is_cat else slice(32, 64)
    pixels[half] += 120
    return pixels.astype(np.uint8)


@pytest.fixture
def course_like(tmp_path):
    """Two small HDF5 files in the layout of the course."""
    folder = tmp_path / "h5"
    folder.mkdir()
    for part, samples, seed in (("train", 24, 0), ("test", 10, 1)):
        rng = np.random.default_rng(seed)
        targets = np.arange(samples) % 2
        with h5py.File(folder / f"{part}_catvnoncat.h5", "w") as file:
            file[f"{part}_set_x"] = np.stack([draw(rng, target) for target in targets])
            file[f"{part}_set_y"] = targets
            file["list_classes"] = np.array([b"non-cat", b"cat"])
    return folder


@pytest.fixture
def class_folders(tmp_path):
    """Photos of several sizes and formats in folders cats/ and dogs/."""
    folder, rng = tmp_path / "mine", np.random.default_rng(2)
    for name in ("cats", "dogs"):
        (folder / name).mkdir(parents=True)
        for number in range(30):
            image = Image.fromarray(draw(rng, name == "cats")).resize((90 + number, 80))
            image.save(folder / name / f"{name}{number}.{('jpg', 'png')[number % 2]}")
    return folder
