"""Drift in words: which way, how far, or that only the spread or the mixture has changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor.drift_words import sentence_of, shift_of

EVEN = [10] * 10


def sentence(name: str, current: Sequence[int], categories: Sequence[str] = (), reference: Sequence[int] = EVEN) -> str:
    return sentence_of(name, reference, current, is_beyond_chance=True, categories=categories)


@pytest.mark.parametrize(
    ("name", "current", "expected"),
    [
        ("brightness", [80, 10, 10, 0, 0, 0, 0, 0, 0, 0], "photos are much darker than in the reference"),
        ("brightness", [2, 2, 5, 5, 10, 10, 15, 15, 25, 25], "photos are brighter than in the reference"),
        ("sharpness", [18, 15, 12, 11, 10, 10, 9, 8, 5, 2], "photos are slightly blurrier than in the reference"),
        ("colour_balance", [0] * 9 + [99], "photos are much more orange than in the reference"),
        ("cat_probability", [99] + [0] * 9, "predictions lean much less to cat than in the reference"),
        ("contrast", [0, 0, 0, 50, 50, 50, 50, 0, 0, 0], "contrast varies less than in the reference"),
        ("contrast", [50, 9, 0, 0, 0, 0, 0, 0, 9, 50], "contrast varies more than in the reference"),
        ("new_feature", [99] + [0] * 9, "values of new feature are much lower than in the reference"),
    ],
)
def test_a_sentence_says_which_way_and_how_far(name: str, current: list[int], expected: str) -> None:
    assert sentence(name, current) == expected


def test_a_feature_that_is_no_number_is_told_by_its_largest_change() -> None:
    said = sentence("format", [20, 80, 0], ("JPEG", "PNG", "other"), reference=[98, 2, 0])
    assert said in ("20% of photos are JPEG, 98% in the reference", "80% of photos are PNG, 2% in the reference")


def test_within_chance_there_is_nothing_to_say() -> None:
    assert "within chance" in sentence_of("brightness", EVEN, EVEN, is_beyond_chance=False, categories=())


def test_the_shift_of_nothing_is_unknown() -> None:
    assert shift_of(EVEN, [0] * 10) is None


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=10))
def test_the_shift_is_the_share_of_pairs_that_are_higher_less_those_that_are_lower(bins: list[tuple[int, int]]) -> None:
    reference, current = [a + 1 for a, _ in bins], [b + 1 for _, b in bins]
    values = [np.repeat(np.arange(len(bins)), counts) for counts in (reference, current)]
    pairs = np.sign(values[1][:, None] - values[0][None, :])
    assert shift_of(reference, current) == pytest.approx(pairs.mean())
