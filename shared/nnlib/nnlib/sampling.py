"""Which pictures a minibatch is made of: half cats, half others, and on both sides so much from each source.

Files tell their source by the beginning of their name. Drawn as they come, the largest source would decide what a cat
is, and the network would learn to tell sources apart.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from nnlib.arrays import Array
from nnlib.errors import DatasetError


class BalancedSampler:
    """Draws with replacement, every picture with its weight from balanced_weights()."""

    def __init__(
        self, names: Sequence[str], targets: Array, *, cats: Mapping[str, float], others: Mapping[str, float]
    ) -> None:
        self._cumulative = np.cumsum(balanced_weights(names, targets, cats=cats, others=others))
        self._cumulative /= self._cumulative[-1]

    def draw(self, count: int, *, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Positions of that many pictures. Shapes: result (count,)."""
        return np.searchsorted(self._cumulative, rng.random(count), side="right")


def balanced_weights(
    names: Sequence[str], targets: Array, *, cats: Mapping[str, float], others: Mapping[str, float]
) -> Array:
    """The weight of every picture, so that cats weigh one half together, and each source its share of its side.

    `cats` and `others` give the shares by file name prefix; of several prefixes that fit the longest counts.
    Shapes: targets and result (samples,), which adds up to 1.
    Raises: DatasetError if a picture has no source, or a source no picture.
    """
    weights = np.zeros(len(names))
    for side, is_cat, shares in (("cat", True, cats), ("other", False, others)):
        positions = np.flatnonzero((targets == 1) == is_cat)
        sources = np.array([source_of(names[int(position)], shares) for position in positions])
        for source, share in shares.items():
            members = positions[sources == source]
            if not len(members):
                raise DatasetError(f"no picture of the side {side!r} has a name that begins with {source!r}")
            weights[members] = share / sum(shares.values()) / len(members) / 2
    return weights


def source_of(name: str, prefixes: Mapping[str, float]) -> str:
    """The longest of the prefixes that the name begins with.

    Raises: DatasetError if none does.
    """
    fitting = [prefix for prefix in prefixes if name.startswith(prefix)]
    if not fitting:
        raise DatasetError(f"{name}: its beginning is none of {', '.join(prefixes)}")
    return max(fitting, key=len)
