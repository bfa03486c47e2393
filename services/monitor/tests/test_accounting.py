"""Every answered prediction is somewhere, or is known to be missing."""

from dataclasses import replace

import pytest
from events.accounting import PublisherCounters
from monitor.accounting import Accounts

PUBLISHERS = [
    PublisherCounters(answered=70, published=60, buffered=7, dropped={"buffer_full": 3}),
    PublisherCounters(answered=40, published=40, buffered=0, dropped={"buffer_full": 0, "refused": 0}),
]
BALANCED = Accounts(
    lag=5,
    lag_is_exact=True,
    pending=4,
    entries_added=102,
    pipeline={"consumed": 88, "dead": 2, "duplicates": 2, "lost": 1},
    publishers=PUBLISHERS,
)


def test_sums_over_publishers() -> None:
    assert (BALANCED.answered, BALANCED.buffered) == (110, 7)
    assert BALANCED.dropped == {"buffer_full": 3, "refused": 0}


def test_answered_is_consumed_waiting_buffered_dropped_dead_and_lost() -> None:
    assert BALANCED.missing == 0
    assert BALANCED.balanced is True


@pytest.mark.parametrize("consumed", [87, 89])
def test_one_event_more_or_less_is_noticed(consumed: int) -> None:
    accounts = replace(BALANCED, pipeline={**BALANCED.pipeline, "consumed": consumed}, entries_added=None)
    assert accounts.missing == 88 - consumed
    assert accounts.balanced is False


def test_entries_trimmed_before_anybody_read_them_are_lost() -> None:
    trimmed = replace(BALANCED, entries_added=112, publishers=[replace(PUBLISHERS[0], answered=80), PUBLISHERS[1]])
    assert trimmed.lost == 11
    assert trimmed.balanced is True


def test_without_the_number_of_entries_ever_added_trimmed_ones_show_as_missing() -> None:
    trimmed = replace(BALANCED, entries_added=None, publishers=[replace(PUBLISHERS[0], answered=80), PUBLISHERS[1]])
    assert trimmed.lost == 1
    assert trimmed.missing == 10


@pytest.mark.parametrize("unknown", [{"publishers": []}, {"lag_is_exact": False}])
def test_without_publishers_or_an_exact_lag_nobody_can_tell(unknown: dict[str, object]) -> None:
    assert replace(BALANCED, **unknown).balanced is None


def test_before_the_first_event_all_is_zero() -> None:
    accounts = Accounts(0, True, 0, None, {}, [])
    assert (accounts.consumed, accounts.duplicates, accounts.dead, accounts.lost, accounts.answered) == (0,) * 5
