"""A running sum is the sum, whatever came, went or changed in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from monitor.buckets import Bucket
from monitor.running_sum import MAX_SUMS, RunningSum, RunningSums

counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9))
windows = st.lists(st.dictionaries(st.integers(0, 8).map(str), st.tuples(st.integers(0, 2), counts)), max_size=8)


@given(windows)
def test_the_sum_of_a_window_that_moves_is_the_sum_of_its_buckets(
    moves: list[dict[str, tuple[int, dict[str, int]]]],
) -> None:
    running = RunningSum()
    known: dict[str, tuple[int, Bucket]] = {}
    for move in moves:
        for key, (version, fields) in move.items():
            if key not in known or known[key][0] != version:
                known[key] = (version, Bucket(fields))
        buckets = [known[key][1] for key in move]
        exact: Counter[str] = sum((Counter(dict(bucket.items())) for bucket in buckets), Counter())
        assert dict(running.over(list(move), buckets)) == dict(exact)


def test_buckets_that_vanish_all_at_once_are_not_subtracted_one_by_one() -> None:
    looked_at: list[str] = []

    class Watched(Bucket):
        def items(self) -> Iterator[tuple[str, int]]:
            looked_at.append("a bucket")
            return super().items()

    running = RunningSum()
    keys = [str(number) for number in range(100)]
    full = [Watched({"events": number + 1}) for number in range(100)]
    assert running.over(keys, full)["events"] == 5050
    looked_at.clear()
    assert running.over(keys, [Bucket({})] * 100) == {}
    assert not looked_at


def test_only_the_windows_asked_for_last_are_kept() -> None:
    sums = RunningSums()
    first = sums[0]
    for number in range(MAX_SUMS):
        sums[number]
    assert sums[0] is first
    for number in range(MAX_SUMS):
        sums[number + 1]
    assert sums[0] is not first
