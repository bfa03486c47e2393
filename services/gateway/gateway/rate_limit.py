"""A limit on each client's requests, kept in Redis so that all replicas of the gateway share it.

Generic cell rate algorithm: one number a client, the time at which it will have used up what it has. Redis's clock
counts, and one script reads and writes, so replicas cannot disagree.
Source: ITU-T I.371, annex A (GCRA as virtual scheduling).
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import math
from contextlib import suppress

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from servicekit.redis_pool import redis_pool
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api_keys import KEY_DIGEST
from gateway.errors import TooManyRequests

REDIS_SECONDS = 0.2
"""Longest that a request waits to be counted; then it goes on uncounted."""
REST_SECONDS = 1.0
"""After a failure nobody asks Redis for so long: an outage costs one wait a second, not one a request."""
_CONNECTIONS = 32

# KEYS[1]: the client. ARGV: microseconds that one request takes up, and how many may come at once.
# Returns: microseconds until the request may come; 0 when it may now, and it is counted then.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local latest = now + ARGV[1] * ARGV[2]
local used_up = tonumber(redis.call('GET', KEYS[1]) or '0')
if used_up < now or used_up > latest then used_up = now end -- later than that: by a clock that was set back since
local wait = used_up + ARGV[1] - latest
if wait > 0 then return math.ceil(wait) end
used_up = used_up + ARGV[1]
redis.call('SET', KEYS[1], string.format('%.0f', used_up), 'PX', math.ceil((used_up - now) / 1000))
return 0
"""

_log = structlog.get_logger("rate limit")


class RateLimit:
    """``uncounted`` counts the requests let through because Redis did not answer."""

    def __init__(self, url: str, *, per_minute: int, burst: int, uncounted: Counter) -> None:
        self._redis = Redis.from_pool(redis_pool(url, max_connections=_CONNECTIONS, timeout=REDIS_SECONDS))
        self._script = self._redis.register_script(_SCRIPT)
        self._arguments = (60_000_000 // per_minute, burst)
        self._uncounted = uncounted
        self._is_away = False
        self._rests_until = 0.0

    async def wait_seconds(self, client: str) -> float:
        """How long the client has to wait; 0 lets it pass, and counts it."""
        clock = asyncio.get_running_loop().time
        if clock() >= self._rests_until:
            if self._is_away:
                self._rests_until = clock() + REST_SECONDS  # this request finds out, and the others need not wait
            try:
                async with asyncio.timeout(REDIS_SECONDS):
                    microseconds: int = await self._script(keys=[f"catnet:rate:{client}"], args=self._arguments)
            except (RedisError, OSError) as error:  # TimeoutError is an OSError
                self._rests_until = clock() + REST_SECONDS
                if not self._is_away:
                    _log.warning("requests are not counted: redis is away", reason=type(error).__name__)
                self._is_away = True
                if isinstance(error, ResponseError):
                    await self._connect_anew()
            else:
                if self._is_away:
                    _log.info("requests are counted again")
                    self._is_away, self._rests_until = False, 0.0
                return microseconds / 1_000_000
        self._uncounted.inc()
        return 0.0

    async def close(self) -> None:
        await self._redis.aclose()

    async def _connect_anew(self) -> None:
        """A Redis that refuses may be the wrong one: after a failover the old connections lead to a replica."""
        with suppress(RedisError, OSError):
            await self._redis.connection_pool.disconnect(inuse_connections=False)


class LimitRate:
    """Refuses who has sent too many requests."""

    def __init__(self, app: ASGIApp, limit: RateLimit, shed: Counter) -> None:
        self._app = app
        self._limit = limit
        self._shed = shed.labels("rate_limited")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait_seconds = await self._limit.wait_seconds(_client(scope))
        if wait_seconds > 0:
            self._shed.inc()
            raise TooManyRequests(
                "You have sent too many requests. Wait a little.",
                headers={"Retry-After": str(math.ceil(wait_seconds))},
            )
        await self._app(scope, receive, send)


def _client(scope: Scope) -> str:
    """Who asks, as a digest: by key, else by address, of which IPv6 gives everybody 2**64."""
    who: bytes | None = scope["state"].get(KEY_DIGEST)
    if who is None:
        who = _network((scope["client"] or ("",))[0]).encode()
    return hashlib.sha256(who).hexdigest()[:32]


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    if parsed.ipv4_mapped:  # all of these are in one network, and each is somebody's own
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
