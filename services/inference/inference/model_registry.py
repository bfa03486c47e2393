"""The models that are served: every version of every name in the models folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from nnlib.artifact import load_model
from nnlib.errors import NnlibError
from nnlib.model import Model

from inference.errors import UnknownModel
from inference.golden_check import GoldenCheckFailed, check_golden_picture


class ModelRefused(Exception):
    """Models cannot be served as the settings say; the text is one line for the operator."""


class ModelRegistry:
    """Loaded once, never changed: another set of models is another registry.

    ``models``: name -> version -> model, the versions in natural order. A model is asked for as ``NAME``, which means
    its highest version, or as ``NAME/VERSION``.
    """

    def __init__(self, models: Mapping[str, Mapping[str, Model]], default_name: str) -> None:
        self._models = models
        self.default = self.get(default_name)

    @classmethod
    def load(cls, folder: Path, default_name: str, shadow_name: str | None = None) -> ModelRegistry:
        """Load and try every model of the folder ``<name>/<version>``.

        Raises: ModelRefused if there is none, one is damaged or answers wrongly, or the default or the shadow is not
        among them.
        """
        try:
            models = {name.name: _load_versions(name) for name in _folders(folder)}
        except OSError as error:
            raise ModelRefused(f"MODELS_DIR={str(folder)!r} cannot be read: {error.strerror}") from error
        served = ", ".join(f"{name}/{version}" for name, versions in models.items() for version in versions)
        for setting, name in (("DEFAULT_MODEL", default_name), ("SHADOW_MODEL", shadow_name)):
            if name is not None and _find(models, name) is None:
                raise ModelRefused(
                    f"{setting}={name!r} is not in MODELS_DIR={str(folder)!r}, which has {served or 'no model'}"
                )
        return cls(models, default_name)

    def get(self, name: str | None) -> Model:
        """The model of this name, at this version if one is named, or the default.

        Raises: UnknownModel.
        """
        if not name:
            return self.default
        model = _find(self._models, name)
        if model is None:
            raise UnknownModel
        return model

    def versions(self, name: str) -> list[str]:
        """The versions of a name, in natural order.

        Raises: UnknownModel.
        """
        if name not in self._models:
            raise UnknownModel
        return list(self._models[name])

    def __iter__(self) -> Iterator[Model]:
        return (model for versions in self._models.values() for model in versions.values())


def _find(models: Mapping[str, Mapping[str, Model]], name: str) -> Model | None:
    name, slash, version = name.partition("/")
    if name not in models:
        return None
    versions = models[name]
    return versions.get(version if slash else list(versions)[-1])


def _load_versions(folder: Path) -> dict[str, Model]:
    versions = {version.name: _load(version) for version in sorted(_folders(folder), key=_natural_order)}
    if not versions:
        raise ModelRefused(f"{folder}: holds no version")
    return versions


def _load(folder: Path) -> Model:
    try:
        model = load_model(folder)
        manifest = model.manifest
        if (manifest.name, manifest.version) != (folder.parent.name, folder.name):
            raise ModelRefused(f"{folder}: its manifest is of {manifest.name}/{manifest.version}")
        check_golden_picture(model)
    except GoldenCheckFailed as error:
        raise ModelRefused(f"{folder}: {error}") from error
    except NnlibError as error:
        raise ModelRefused(str(error)) from error
    return model


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _natural_order(path: Path) -> list[tuple[int, str]]:
    """So that version 10 follows version 9."""
    return [(int(digits or 0), text) for text, digits in re.findall(r"(\D*)(\d*)", path.name)]
