"""Readiness waits for the first reports, but neither without bound nor for what cannot be built."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from monitor import warm_up as warm_up_module
from monitor.manifests import Manifest
from monitor.redis_connection import RedisAway
from monitor.warm_up import WarmingUp, WarmUp
from monitor.windows import WINDOWS, Window
from structlog.testing import capture_logs

pytestmark = pytest.mark.anyio


class Redis:
    """Answers pings when told to."""

    def __init__(self) -> None:
        self.is_away = False
        self.pings = 0

    async def ping(self) -> None:
        self.pings += 1
        if self.is_away:
            raise RedisAway("gone")


class Reports:
    """Models, and what was built of them; building waits for ``may_build``, and fails with ``error``."""

    def __init__(self) -> None:
        self.models = [Manifest("catnet", "2"), Manifest("catnet", "1")]
        self.built: list[tuple[str, str]] = []
        self.may_build = asyncio.Event()
        self.may_build.set()
        self.error: Exception | None = None

    async def busiest(self, count: int) -> list[Manifest]:
        return self.models[:count]

    async def build(self, window: Window, manifest: Manifest) -> None:
        await self.may_build.wait()
        self.built.append((manifest.model, window.name))
        if self.error:
            raise self.error


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up_module, "RETRY_SECONDS", 0.01)


@asynccontextmanager
async def running(redis: Redis, reports: Reports) -> AsyncIterator[WarmUp]:
    warm_up = WarmUp(redis, reports)  # type: ignore[arg-type]
    task = asyncio.create_task(warm_up.run())
    try:
        yield warm_up
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), "it ends by itself"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


async def test_it_is_over_when_all_windows_of_all_models_are_built_the_default_model_last() -> None:
    reports = Reports()
    reports.may_build.clear()
    async with running(Redis(), reports) as warm_up:
        await asyncio.sleep(0)
        with pytest.raises(WarmingUp):
            await warm_up.check()
        reports.may_build.set()
        await until(lambda: warm_up.is_over)
        await warm_up.check()
        assert reports.built == [(model, window) for model in ("catnet/1", "catnet/2") for window in WINDOWS]


async def test_it_waits_for_redis_and_then_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up_module, "DEADLINE_SECONDS", 1.0)
    redis, reports = Redis(), Reports()
    redis.is_away = True
    async with running(redis, reports) as warm_up:
        await until(lambda: redis.pings > 3)
        assert not warm_up.is_over
        assert not reports.built
        redis.is_away = False
        await until(lambda: warm_up.is_over)
        assert len(reports.built) == 2 * len(WINDOWS)


async def test_a_redis_that_leaves_meanwhile_is_waited_for() -> None:
    reports = Reports()
    reports.error = RedisAway("gone again")
    async with running(Redis(), reports) as warm_up:
        await until(lambda: len(reports.built) > 3)
        assert not warm_up.is_over
        reports.error = None
        await until(lambda: warm_up.is_over)


@pytest.mark.parametrize("error", [RuntimeError("a bug"), RedisAway("WRONGTYPE")])
async def test_what_cannot_be_built_holds_up_readiness_no_longer_than_the_deadline(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(warm_up_module, "DEADLINE_SECONDS", 0.05)
    reports = Reports()
    reports.error = error
    async with running(Redis(), reports) as warm_up:
        await until(lambda: warm_up.is_over)


async def test_a_store_that_does_not_answer_holds_it_up_no_longer_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up_module, "DEADLINE_SECONDS", 0.05)
    reports = Reports()
    reports.may_build.clear()
    async with running(Redis(), reports) as warm_up:
        await until(lambda: warm_up.is_over)


async def test_reports_are_built_again_so_that_they_stay_warm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up_module, "AGAIN_SECONDS", 0.01)
    reports = Reports()
    async with running(Redis(), reports) as warm_up:
        await until(lambda: warm_up.is_over)
        for error in (RuntimeError("for a while"), None):
            reports.error = error
            built = len(reports.built)
            await until(lambda built=built: len(reports.built) > built + 1)


async def test_why_reports_cannot_be_built_is_said_while_redis_answers_all_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(warm_up_module, "AGAIN_SECONDS", 0.01)
    redis, reports = Redis(), Reports()
    with capture_logs() as logs:
        async with running(redis, reports) as warm_up:
            await until(lambda: warm_up.is_over)
            reports.error = RedisAway("WRONGTYPE")
            await until(lambda: bool(logs))
    assert {(log["event"], log["reason"]) for log in logs} == {("a report cannot be built ahead", "WRONGTYPE")}
