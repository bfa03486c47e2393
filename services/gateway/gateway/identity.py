"""Say who asks: where services let in only whom they know, each call carries an ID token of the gateway's own account.

The metadata server of the machine gives such tokens, each for one audience: the service that is asked. Cloud Run
checks token and audience before a call reaches the service; here they are only carried.
Source: Google Cloud, "Authenticating service-to-service"; RFC 7519, section 4.1.4.

TransportError
    NotIdentified   no token could be had, so the call was not sent
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urlsplit

import structlog

from gateway.transport import Answer, AnswerStream, Content, Transport, TransportError

_log = structlog.get_logger("identity")

RENEW_SECONDS = 225.0
"""Before a token expires: the metadata server itself keeps one until four minutes before, and has no newer one earlier.
Source: google-auth, google/auth/_helpers.py."""
REST_SECONDS = 1.0
"""Between two fetches, whatever came of the first."""
ATTEMPTS = 3
ATTEMPT_SECONDS = 2.0
PAUSE_SECONDS = 0.1
"""Before the second attempt; twice as long before each further one."""

_PATH = "/computeMetadata/v1/instance/service-accounts/default/identity"
_TOKEN = re.compile(rb"[\w-]+\.([\w-]+)\.[\w-]+", re.ASCII)
_FLAVOR = "metadata-flavor"  # both sides send it, so that neither takes another server for a metadata server


class NotIdentified(TransportError):
    pass


class _Unusable(Exception):
    """What the metadata server answered is no token that can be used."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    expires: float
    """Seconds since 1970, as the token says."""


_NO_TOKEN = _Token("", 0.0)


class IdTokens:
    """Tokens of the gateway's account for one service, one after the other. Kept new while it is entered.

    A token is used until it expires, and the next one is fetched beside the calls: a call waits for a token only where
    there is none, and then not for longer than one fetch takes. Fetches begin with a call, not with a clock: the
    processor may be taken away between requests.
    """

    def __init__(self, service_url: str, transport: Transport, *, clock: Callable[[], float] = time.time) -> None:
        """``transport`` leads to the metadata server, and is open for as long as this is."""
        service = urlsplit(service_url)
        self._audience = f"{service.scheme}://{service.netloc}"
        self._target = f"{_PATH}?{urlencode({'audience': self._audience})}"
        self._transport = transport
        self._clock = clock
        self._token = _NO_TOKEN
        self._renew_at = 0.0
        self._fetching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._renew()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._fetching:
            self._fetching.cancel()
            await asyncio.wait({self._fetching})

    async def sign(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The headers of a call, with a token among them. Raises: NotIdentified."""
        self._renew()
        if not self._is_valid() and self._fetching:
            await asyncio.shield(self._fetching)  # others wait for it too
        if not self._is_valid():
            raise NotIdentified("the metadata server gave no ID token")
        return {**headers, "authorization": f"Bearer {self._token.text}"}

    def _is_valid(self) -> bool:
        return self._clock() < self._token.expires

    def _renew(self) -> None:
        """Begin to fetch the next token, if it is time for it."""
        if self._clock() >= self._renew_at and not self._fetching:
            self._fetching = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        try:
            self._token = await self._fetched()
            due = self._token.expires - RENEW_SECONDS
        except (TransportError, TimeoutError, _Unusable) as error:
            due = 0.0
            reason = str(error) or "no answer in time"
            _log.error("no ID token", audience=self._audience, reason=reason, last_one_is_valid=self._is_valid())
        finally:
            self._fetching = None
        self._renew_at = max(due, self._clock() + REST_SECONDS)

    async def _fetched(self) -> _Token:
        """Raises: TransportError, TimeoutError, _Unusable: that of the last attempt."""
        for attempt in range(ATTEMPTS - 1):
            try:
                return await self._attempt()
            except (TransportError, TimeoutError, _Unusable):
                await asyncio.sleep(PAUSE_SECONDS * 2**attempt)
        return await self._attempt()

    async def _attempt(self) -> _Token:
        async with asyncio.timeout(ATTEMPT_SECONDS):
            answer = await self._transport.send(self._target, {_FLAVOR: "Google"})
        if answer.status != 200 or answer.headers.get(_FLAVOR.encode()) != b"Google":
            raise _Unusable(f"answered {answer.status}, and not as a metadata server does")
        token = _parsed(answer.body)
        if token.expires <= self._clock():
            raise _Unusable("the token given has expired")
        return token


class IdentifiedTransport:
    """A transport to one service whose every call says who asks. Raises what the other one does, and NotIdentified."""

    def __init__(self, transport: Transport, tokens: IdTokens) -> None:
        self._transport = transport
        self._tokens = tokens

    async def send(self, target: str, headers: Mapping[str, str], body: Content | None = None) -> Answer:
        return await self._transport.send(target, await self._tokens.sign(headers), body)

    @asynccontextmanager
    async def stream(self, target: str, headers: Mapping[str, str]) -> AsyncIterator[AnswerStream]:
        async with self._transport.stream(target, await self._tokens.sign(headers)) as answer:
            yield answer


def _parsed(body: bytes) -> _Token:
    """The token as it came, with the time that its second part tells. Raises: _Unusable."""
    match = _TOKEN.fullmatch(body.strip())
    try:
        claims = match[1] if match else b""
        expires = float(json.loads(base64.urlsafe_b64decode(claims + b"=" * (-len(claims) % 4)))["exp"])
    except (ValueError, KeyError, TypeError) as error:
        raise _Unusable("what was given is no token") from error
    return _Token(body.strip().decode("ascii"), expires)
