"""A service that keeps failing is left alone, asked by one call at a time, and in use again after the first answer."""

from __future__ import annotations

import asyncio

import pytest
from gateway.circuit import ANSWERING_SECONDS, CLOSED, FAILURES_TO_OPEN, HALF_OPEN, OPEN, OPEN_SECONDS, Circuit
from gateway.errors import UpstreamResting
from gateway.transport import NotAnswered
from prometheus_client import Gauge


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state() -> Gauge:
    return Gauge("state", "of the circuit", registry=None)


@pytest.fixture
def circuit(state: Gauge, clock: Clock) -> Circuit:
    return Circuit("inference", state, clock=clock)


def fail(circuit: Circuit) -> None:
    with pytest.raises(NotAnswered), circuit.call():
        raise NotAnswered


def open_it(circuit: Circuit) -> None:
    for _ in range(FAILURES_TO_OPEN):
        fail(circuit)


def shown(state: Gauge) -> float:
    return next(iter(state.collect()[0].samples)).value


def test_failures_with_answers_between_them_do_not_open_it(circuit: Circuit, state: Gauge) -> None:
    for _ in range(3 * FAILURES_TO_OPEN):
        fail(circuit)
        with circuit.call():
            pass
    assert shown(state) == CLOSED


def test_calls_that_run_out_of_time_while_others_are_answered_do_not_open_it(
    circuit: Circuit, state: Gauge, clock: Clock
) -> None:
    with circuit.call():
        pass
    for _ in range(2 * FAILURES_TO_OPEN):
        circuit.run_out_of_time()
    assert shown(state) == CLOSED
    clock.seconds = ANSWERING_SECONDS
    for _ in range(FAILURES_TO_OPEN):
        circuit.run_out_of_time()
    assert shown(state) == OPEN


def test_failures_in_a_row_open_it_and_nobody_gets_through(circuit: Circuit, state: Gauge) -> None:
    open_it(circuit)
    assert shown(state) == OPEN
    with pytest.raises(UpstreamResting):
        circuit.check()
    with pytest.raises(UpstreamResting), circuit.call():
        pytest.fail("a call went through")


def test_after_a_rest_one_call_at_a_time_goes_through(circuit: Circuit, state: Gauge, clock: Clock) -> None:
    open_it(circuit)
    clock.seconds = OPEN_SECONDS
    circuit.check()
    with circuit.call():
        assert shown(state) == HALF_OPEN
        with pytest.raises(UpstreamResting):
            circuit.check()
    assert shown(state) == CLOSED
    circuit.check()


def test_a_probe_that_fails_opens_it_for_another_rest(circuit: Circuit, state: Gauge, clock: Clock) -> None:
    open_it(circuit)
    clock.seconds = OPEN_SECONDS
    fail(circuit)
    assert shown(state) == OPEN
    with pytest.raises(UpstreamResting):
        circuit.check()
    clock.seconds += OPEN_SECONDS
    with circuit.call():
        pass
    assert shown(state) == CLOSED


def test_a_probe_whose_client_left_leaves_the_place_to_the_next(circuit: Circuit, clock: Clock) -> None:
    open_it(circuit)
    clock.seconds = OPEN_SECONDS
    with pytest.raises(asyncio.CancelledError), circuit.call():
        raise asyncio.CancelledError
    with circuit.call():
        pass
    circuit.check()
