"""A call is sent again only where that is safe, once, and never past the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

import pytest
from gateway.circuit import FAILURES_TO_OPEN, Circuit
from gateway.errors import UpstreamAway, UpstreamOutOfTime, UpstreamResting
from gateway.metrics import GatewayMetrics
from gateway.transport import Answer, AnswerBroken, AnswerStream, Content, NotAnswered
from gateway.upstream import Upstream
from prometheus_client import CollectorRegistry
from servicekit.request_context import RequestContext

pytestmark = pytest.mark.anyio

JSON = Answer(200, {b"content-type": b"application/json; charset=utf-8"}, b"{}")
CONTEXT = RequestContext("id", "00-" + "1" * 32 + "-" + "2" * 16 + "-00")


class Silence(Exception):
    """No answer, however long it is awaited."""


class ScriptedTransport:
    """Gives what it is told to, call after call."""

    def __init__(self, *outcomes: Answer | Exception) -> None:
        self._outcomes = list(outcomes)
        self.calls: list[tuple[Mapping[str, str], Content | None]] = []

    async def send(self, target: str, headers: Mapping[str, str], body: Content | None = None) -> Answer:
        self.calls.append((dict(headers), body))
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Silence):
            await asyncio.Event().wait()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def stream(self, target: str, headers: Mapping[str, str]) -> AbstractAsyncContextManager[AnswerStream]:
        raise AssertionError("no stream was asked for")


async def ask(
    *outcomes: Answer | Exception, seconds: float = 5.0
) -> tuple[ScriptedTransport, Answer | Exception, float]:
    """What was sent, what came back, and how many retries were counted."""
    transport = ScriptedTransport(*outcomes)
    upstream, registry = upstream_on(transport)
    result = await ask_once(upstream, seconds)
    return transport, result, registry.get_sample_value("catnet_upstream_retries_total") or 0.0


def upstream_on(transport: ScriptedTransport) -> tuple[Upstream, CollectorRegistry]:
    registry = CollectorRegistry()
    metrics = GatewayMetrics(registry)
    circuit = Circuit("inference", metrics.circuit_state.labels("inference"))
    return Upstream("inference", transport, circuit=circuit, retries=metrics.upstream_retries), registry


async def ask_once(upstream: Upstream, seconds: float = 5.0) -> Answer | Exception:
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        return await upstream.ask("/predict", context=CONTEXT, deadline=deadline, body=b"photo")
    except (UpstreamAway, UpstreamOutOfTime, UpstreamResting) as error:
        return error


async def test_an_answer_is_taken_at_once() -> None:
    transport, result, retries = await ask(JSON)
    assert (result, len(transport.calls), retries) == (JSON, 1, 0)


async def test_a_call_that_was_not_answered_is_sent_again() -> None:
    transport, result, retries = await ask(NotAnswered(), JSON)
    assert (result, len(transport.calls), retries) == (JSON, 2, 1)
    assert [body for _, body in transport.calls] == [b"photo", b"photo"]


async def test_it_is_sent_again_once_only() -> None:
    transport, result, retries = await ask(NotAnswered(), NotAnswered(), JSON)
    assert isinstance(result, UpstreamAway)
    assert (len(transport.calls), retries) == (2, 1)


async def test_a_call_whose_answer_broke_is_not_sent_again() -> None:
    transport, result, retries = await ask(AnswerBroken(), JSON)
    assert isinstance(result, UpstreamAway)
    assert (len(transport.calls), retries) == (1, 0)


async def test_the_second_call_has_only_the_time_that_is_left() -> None:
    transport, _, _ = await ask(NotAnswered(), JSON)
    first, second = (int(headers["x-deadline-ms"]) for headers, _ in transport.calls)
    assert second < first <= 5000


async def test_there_is_no_second_call_past_the_deadline() -> None:
    transport, result, _ = await ask(NotAnswered(), JSON, seconds=0.005)
    assert isinstance(result, UpstreamOutOfTime)
    assert len(transport.calls) == 1


async def test_there_is_no_call_at_all_without_time() -> None:
    transport, result, _ = await ask(JSON, seconds=0.0)
    assert isinstance(result, UpstreamOutOfTime)
    assert transport.calls == []


async def test_few_calls_are_sent_again_when_many_fail() -> None:
    asked = 200
    transport = ScriptedTransport(*[NotAnswered(), JSON] * asked)
    upstream, registry = upstream_on(transport)
    for _ in range(asked):
        await ask_once(upstream)
    retries = registry.get_sample_value("catnet_upstream_retries_total") or 0.0
    assert 10 <= retries <= 10 + 0.1 * asked


async def test_a_service_that_fails_again_and_again_is_left_alone() -> None:
    transport = ScriptedTransport(*[AnswerBroken()] * FAILURES_TO_OPEN, JSON)
    upstream, registry = upstream_on(transport)
    for _ in range(FAILURES_TO_OPEN):
        assert isinstance(await ask_once(upstream), UpstreamAway)
    refusal = await ask_once(upstream)
    assert isinstance(refusal, UpstreamResting)
    assert refusal.headers["Retry-After"] == "1"
    assert len(transport.calls) == FAILURES_TO_OPEN
    assert registry.get_sample_value("catnet_circuit_state", {"target": "inference"}) == 2


@pytest.mark.parametrize(("answered_before", "state"), [(True, 0), (False, 2)])
async def test_calls_that_run_out_of_time_open_the_circuit_only_where_no_other_is_answered(
    monkeypatch: pytest.MonkeyPatch, answered_before: bool, state: float
) -> None:
    monkeypatch.setattr("gateway.upstream.PATIENCE_SECONDS", 0)
    transport = ScriptedTransport(*[JSON] * answered_before, *[Silence()] * FAILURES_TO_OPEN)
    upstream, registry = upstream_on(transport)
    if answered_before:
        assert await ask_once(upstream) == JSON
    for _ in range(FAILURES_TO_OPEN):
        assert isinstance(await ask_once(upstream, seconds=0.01), UpstreamOutOfTime)
    assert registry.get_sample_value("catnet_circuit_state", {"target": "inference"}) == state
