"""The models that are served: for each name in the models folder its highest version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from nnlib.artifact import load_model
from nnlib.errors import ArtifactError
from nnlib.model import Model
from nnlib.preprocessing import IMAGE_SIZE

from inference.errors import UnknownModel


class ModelRefused(Exception):
    """Models cannot be served as the settings say; the text is one line for the operator."""


class ModelRegistry:
    """Loaded once, never changed: another set of models is another registry."""

    def __init__(self, models: Mapping[str, Model], default_name: str) -> None:
        self._models = dict(models)
        self.default_name = default_name

    @classmethod
    def load(cls, folder: Path, default_name: str) -> ModelRegistry:
        """Load and try every model of the folder ``<name>/<version>``.

        Raises: ModelRefused if there is none, one is damaged, or the default is not among them.
        """
        if not folder.is_dir():
            raise ModelRefused(f"MODELS_DIR={str(folder)!r} is not a folder")
        models = {name_folder.name: _load_highest_version(name_folder) for name_folder in _folders(folder)}
        if default_name not in models:
            served = ", ".join(sorted(models)) or "no model"
            raise ModelRefused(
                f"DEFAULT_MODEL={default_name!r} is not in MODELS_DIR={str(folder)!r}, which has {served}"
            )
        return cls(models, default_name)

    def get(self, name: str | None) -> Model:
        """The model of this name, or the default.

        Raises: UnknownModel.
        """
        model = self._models.get(name or self.default_name)
        if model is None:
            raise UnknownModel
        return model

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())


def _load_highest_version(folder: Path) -> Model:
    versions = sorted(_folders(folder), key=_natural_order)
    if not versions:
        raise ModelRefused(f"{folder}: holds no version")
    try:
        model = load_model(versions[-1])
    except ArtifactError as error:
        raise ModelRefused(str(error)) from error
    manifest = model.manifest
    if (manifest.name, manifest.version) != (folder.name, versions[-1].name):
        raise ModelRefused(f"{versions[-1]}: its manifest is of {manifest.name}/{manifest.version}")
    _warm_up(model)
    return model


def _warm_up(model: Model) -> None:
    """One prediction, so that the first request is not the one that finds out what is slow or wrong."""
    prediction = model.predict(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8))
    if not np.isfinite(prediction.cat_probability).all():
        raise ModelRefused(f"{model.manifest.name}/{model.manifest.version}: answers with no finite probability")


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _natural_order(path: Path) -> list[tuple[int, str]]:
    """So that version 10 follows version 9."""
    return [(int(digits or 0), text) for text, digits in re.findall(r"(\D*)(\d*)", path.name)]
