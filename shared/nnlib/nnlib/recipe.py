"""A recipe: everything that a training depends on but the pictures and the code, as one TOML file.

Two people with the same recipe, the same pictures and the same machine get the same weights.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np

from nnlib.augmentation import Augmentation
from nnlib.errors import RecipeError
from nnlib.network import Network, build_network
from nnlib.normalization import Normalization


@dataclass(frozen=True)
class Phase:
    """A stretch of the training with pictures of one size. Units: until_step counts steps from the beginning."""

    until_step: int
    image_size: int


@dataclass(frozen=True)
class Recipe:
    """See the fields' names; one word each is explained in the recipe file itself.

    Units: batch_size is that of all replicas together; weight_decay a step at learning rate 1; coverage 0..1.
    """

    name: str
    version: str
    seed: int
    replicas: int
    batch_size: int
    phases: tuple[Phase, ...]
    learning_rate: float
    warm_up_steps: int
    decay_steps: int
    weight_decay: float
    label_smoothing: float
    maximum_gradient_norm: float
    average_decay: float
    validate_every: int
    patience: int
    coverage: float
    normalization: Normalization
    augmentation: Augmentation
    cats: Mapping[str, float]
    others: Mapping[str, float]
    architecture: tuple[Mapping[str, Any], ...]

    @property
    def steps(self) -> int:
        return self.phases[-1].until_step

    def image_size(self, step: int) -> int:
        return next(phase.image_size for phase in self.phases if step < phase.until_step)

    def build(self) -> Network:
        """The network with fresh weights, in float32."""
        network = build_network(self.architecture, rng=np.random.default_rng(self.seed))
        network.cast(np.float32)
        return network

    def identity(self) -> dict[str, Any]:
        """All fields as JSON has them: two trainings with the same identity do the same."""
        identity: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return identity

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check a recipe file.

        Raises: RecipeError naming the file and the field.
        """
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
            known = {field.name for field in fields(cls)}
            if wrong := sorted(known ^ raw.keys()):
                raise ValueError(f"{', '.join(wrong)} missing or unknown")
            raw["phases"] = tuple(Phase(**phase) for phase in raw["phases"])
            normalization: dict[str, Any] = {
                key: tuple(value) if isinstance(value, list) else value for key, value in raw["normalization"].items()
            }
            raw["normalization"] = Normalization(**normalization)
            raw["augmentation"] = Augmentation(**raw["augmentation"])
            raw["architecture"] = tuple(raw["architecture"])
            recipe = cls(**raw)
            recipe._check()
            recipe.build()
        except (OSError, ValueError, TypeError, AttributeError, OverflowError) as error:
            raise RecipeError(f"{path}: {error}") from error
        return recipe

    def _check(self) -> None:
        for name in ("seed", "replicas", "batch_size", "warm_up_steps", "decay_steps", "validate_every", "patience"):
            if type(getattr(self, name)) is not int or getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected a whole number")
        if self.replicas < 1 or self.batch_size < 1 or self.batch_size % self.replicas:
            raise ValueError(f"batch_size {self.batch_size} is no multiple of replicas {self.replicas}")
        ends = [phase.until_step for phase in self.phases]
        if not ends or ends != sorted(set(ends)) or ends[0] < 1:
            raise ValueError(f"phases end at the steps {ends}, expected rising numbers")
        for name in ("learning_rate", "maximum_gradient_norm", "validate_every", "patience"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected more than 0")
        for name in ("label_smoothing", "average_decay", "coverage"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0..1")
        for name in ("cats", "others"):
            shares = getattr(self, name)
            if not shares or min(shares.values()) <= 0:
                raise ValueError(f"{name} needs a share above 0 for every source")
