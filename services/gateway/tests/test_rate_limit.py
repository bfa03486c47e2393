"""A Redis that hangs keeps one request at a time waiting, and is told of once."""

from __future__ import annotations

import asyncio
import socket

import pytest
from gateway import rate_limit
from gateway.rate_limit import RateLimit
from prometheus_client import CollectorRegistry, Counter
from structlog.testing import capture_logs

pytestmark = pytest.mark.anyio


async def test_while_redis_hangs_one_request_finds_out_and_the_others_do_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_limit, "REDIS_SECONDS", 0.05)
    monkeypatch.setattr(rate_limit, "REST_SECONDS", 0)
    uncounted = Counter("uncounted", "Requests.", registry=CollectorRegistry())
    with socket.create_server(("127.0.0.1", 0)) as hanging, capture_logs() as logs:
        url = f"redis://127.0.0.1:{hanging.getsockname()[1]}"
        limit = RateLimit(url, per_minute=1, burst=1, uncounted=uncounted)
        assert await asyncio.gather(*(limit.wait_seconds("one") for _ in range(5))) == [0] * 5

        monkeypatch.setattr(rate_limit, "REDIS_SECONDS", 60)
        monkeypatch.setattr(rate_limit, "REST_SECONDS", 60)
        asking = asyncio.create_task(limit.wait_seconds("one"))
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            assert await asyncio.gather(*(limit.wait_seconds("one") for _ in range(5))) == [0] * 5
        assert not asking.done()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await limit.close()
    assert [log["event"] for log in logs] == ["requests are not counted: redis is away"]
