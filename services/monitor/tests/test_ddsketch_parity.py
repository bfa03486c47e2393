"""The sketch of the paper's authors, in the same unit, has the same bins and gives the same percentiles."""

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from monitor.percentiles import RELATIVE_ERROR, bin_of, percentiles

ddsketch = pytest.importorskip("ddsketch", reason="the package ddsketch, the oracle of these tests, is not installed")

QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of 4 n + 1 durations each of these is one of them, so how to interpolate is no question."""
microseconds = st.integers(1, 3_600_000_000)


def sketch_of(durations: list[int]) -> ddsketch.DDSketch:
    sketch = ddsketch.DDSketch(relative_accuracy=RELATIVE_ERROR)
    for duration in durations:
        sketch.add(duration)
    return sketch


def bins_of(durations: list[int]) -> Counter[int]:
    return Counter(bin_of(duration / 1e6) for duration in durations)


@given(microseconds)
@example(1)
@example(3_600_000_000)
def test_a_duration_is_in_the_same_bin(duration: int) -> None:
    mapping = ddsketch.mapping.LogarithmicMapping(RELATIVE_ERROR)
    assert bin_of(duration / 1e6) == mapping.key(duration)


@given(st.integers(0, 50).flatmap(lambda n: st.lists(microseconds, min_size=4 * n + 1, max_size=4 * n + 1)))
def test_percentiles_are_the_same(durations: list[int]) -> None:
    theirs = [sketch_of(durations).get_quantile_value(fraction) / 1e6 for fraction in QUARTERS]
    assert percentiles(bins_of(durations), QUARTERS) == pytest.approx(theirs, rel=1e-9)


@given(st.lists(microseconds, min_size=1, max_size=80), st.lists(microseconds, max_size=80))
def test_merged_replicas_are_the_same(some: list[int], others: list[int]) -> None:
    merged = sketch_of(some)
    merged.merge(sketch_of(others))
    ours = bins_of(some) + bins_of(others)
    assert percentiles(ours, (0.0, 1.0)) == pytest.approx(
        [merged.get_quantile_value(0.0) / 1e6, merged.get_quantile_value(1.0) / 1e6], rel=1e-9
    )
