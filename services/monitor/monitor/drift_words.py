"""What drift means for a person: which way a feature moved, and how far, in a sentence.

How far is Cliff's delta, P(current > reference) - P(current < reference), from the bins: it needs no scale, and says
the same of brightness and of sharpness. What counts as slight or much is Romano's table.

Sources: Cliff 1993, doi:10.1037/0033-2909.114.3.494; Romano et al. 2006, "Appropriate statistics for ordinal level
data".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

NEGLIGIBLE, SMALL, MEDIUM = 0.147, 0.33, 0.474


@dataclass(frozen=True, slots=True)
class _Words:
    """``subject`` and verb, then what it is when the feature is lower or higher; ``noun`` is the feature itself."""

    subject: str
    lower: str
    higher: str
    noun: str


_WORDS = {
    "brightness": _Words("photos are", "darker", "brighter", "brightness"),
    "contrast": _Words("photos are", "lower in contrast", "higher in contrast", "contrast"),
    "saturation": _Words("photos are", "paler", "more colourful", "colourfulness"),
    "colour_balance": _Words("photos are", "bluer", "more orange", "colour balance"),
    "sharpness": _Words("photos are", "blurrier", "sharper or noisier", "sharpness"),
    "aspect_ratio": _Words("photos are", "taller", "wider", "shape"),
    "megapixels": _Words("photos are", "smaller", "larger", "size"),
    "cat_probability": _Words("predictions lean", "less to cat", "more to cat", "certainty"),
    "hidden_norm": _Words("the network responds", "more weakly", "more strongly", "strength of response"),
}


def shift_of(reference: Sequence[int], current: Sequence[int]) -> float | None:
    """Cliff's delta from bin counts, -1 (all lower) to 1 (all higher); None if either is empty."""
    if not sum(reference) or not sum(current):
        return None
    below = [0, *accumulate(reference)]
    total = below[-1]
    higher = sum(count * below[number] for number, count in enumerate(current))
    lower = sum(count * (total - below[number + 1]) for number, count in enumerate(current))
    return (higher - lower) / total / sum(current)


def sentence_of(
    name: str, reference: Sequence[int], current: Sequence[int], *, is_beyond_chance: bool, categories: Sequence[str]
) -> str:
    """What a feature's bins say, in words; that of an unknown feature is about its name."""
    if not is_beyond_chance:
        return "as in the reference, within chance"
    if categories:
        return _mixture(reference, current, categories)
    noun = name.replace("_", " ")
    words = _WORDS.get(name, _Words(f"values of {noun} are", "lower", "higher", noun))
    shift = shift_of(reference, current) or 0.0
    if abs(shift) < NEGLIGIBLE:
        return _spread(reference, current, words)
    degree = "much " if abs(shift) >= MEDIUM else "" if abs(shift) >= SMALL else "slightly "
    return f"{words.subject} {degree}{words.lower if shift < 0 else words.higher} than in the reference"


def _mixture(reference: Sequence[int], current: Sequence[int], categories: Sequence[str]) -> str:
    shares = [(c / max(sum(current), 1), r / max(sum(reference), 1)) for r, c in zip(reference, current, strict=True)]
    number = max(range(len(shares)), key=lambda i: abs(shares[i][0] - shares[i][1]))
    now, before = shares[number]
    return f"{now:.0%} of photos are {categories[number]}, {before:.0%} in the reference"


def _spread(reference: Sequence[int], current: Sequence[int], words: _Words) -> str:
    middle = (len(reference) - 1) / 2

    def away(counts: Sequence[int]) -> float:
        return sum(count * abs(number - middle) for number, count in enumerate(counts)) / sum(counts)

    compared = "more" if away(current) > away(reference) else "less"
    return f"{words.noun} varies {compared} than in the reference"
