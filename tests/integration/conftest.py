"""What the tests on a real Redis share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from redis_server import RedisServer


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    """Of the test's own Redis, to look into it and to change it."""
    with redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
        yield client
