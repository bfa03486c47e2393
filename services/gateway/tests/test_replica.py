"""A replica that takes calls and answers none is told from one that is slow once, and from clients that leave."""

from __future__ import annotations

import asyncio

import pytest
from gateway.replica import REST_SECONDS, SILENCE_SECONDS, Replica


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def replica(clock: Clock) -> Replica:
    return Replica("127.0.0.1", clock)


def give_up(replica: Replica, clock: Clock, *, after_seconds: float) -> None:
    with pytest.raises(asyncio.CancelledError), replica:
        clock.seconds += after_seconds
        raise asyncio.CancelledError


def is_silent(replica: Replica) -> bool:
    return replica.burden()[0]


def test_the_calls_in_work_are_counted(replica: Replica) -> None:
    with replica:
        with replica:
            assert replica.burden() == (False, 2)
        assert replica.burden() == (False, 1)
    assert replica.burden() == (False, 0)


def test_it_is_silent_while_calls_wait_and_none_is_answered(replica: Replica, clock: Clock) -> None:
    with replica:
        clock.seconds += SILENCE_SECONDS / 2
        with replica:
            clock.seconds += SILENCE_SECONDS / 2
            assert is_silent(replica)
        assert not is_silent(replica)
        clock.seconds += SILENCE_SECONDS
        assert is_silent(replica)
    assert not is_silent(replica)


def test_one_that_nobody_asks_is_not_silent(replica: Replica, clock: Clock) -> None:
    with replica:
        pass
    clock.seconds += 100 * SILENCE_SECONDS
    with replica:
        assert not is_silent(replica)


def test_a_client_that_leaves_soon_says_nothing(replica: Replica, clock: Clock) -> None:
    for _ in range(10):
        give_up(replica, clock, after_seconds=SILENCE_SECONDS / 2)
        assert not is_silent(replica)


def test_after_a_call_in_vain_it_rests_and_is_then_asked_by_one(replica: Replica, clock: Clock) -> None:
    for _ in range(2):
        give_up(replica, clock, after_seconds=SILENCE_SECONDS)
        assert is_silent(replica)
        clock.seconds += REST_SECONDS
        assert not is_silent(replica)
        with replica:
            assert is_silent(replica)  # to the others, until that one is answered
        assert not is_silent(replica)


def test_a_trial_whose_client_leaves_soon_is_followed_by_another_rest(replica: Replica, clock: Clock) -> None:
    give_up(replica, clock, after_seconds=SILENCE_SECONDS)
    clock.seconds += REST_SECONDS
    give_up(replica, clock, after_seconds=0)
    assert is_silent(replica)
    clock.seconds += REST_SECONDS
    assert not is_silent(replica)
