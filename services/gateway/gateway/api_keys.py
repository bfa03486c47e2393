"""Ask for an API key, where the gateway has been given any."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from hmac import compare_digest

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import KeyMissing


class RequireApiKey:
    """Lets pass who sends ``Authorization: Bearer KEY`` or ``X-API-Key: KEY``, whatever is in the other of the two.

    Every key is compared, each by its digest: the time that takes tells nothing about any.
    """

    def __init__(self, app: ASGIApp, keys: Iterable[str]) -> None:
        self._app = app
        self._digests = [_digest(key) for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        digests = [_digest(key) for key in _given_keys(Headers(scope=scope))]
        right = [digest for digest in digests if sum(compare_digest(digest, known) for known in self._digests)]
        if not right:
            raise KeyMissing("Send a key of this service as Authorization: Bearer KEY, or as X-API-Key: KEY.")
        scope["state"][KEY_DIGEST] = right[0]
        await self._app(scope, receive, send)


KEY_DIGEST = "api_key_digest"
"""In the scope's state: which key was sent, once it has been found right."""


def _given_keys(headers: Headers) -> list[str]:
    """One may be somebody else's: an ID token that lets the request through what stands in front."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    keys = [credentials.strip()] if scheme.lower() == "bearer" else []
    return [*keys, headers.get("x-api-key", "")]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
