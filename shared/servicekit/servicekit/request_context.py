"""Who asks, and as part of what: the request id and the W3C trace context of a request.

Source: W3C Trace Context, section 3.2 (traceparent). Of a version above 00 that is read which 00 has too, and passed on
as that: the one flag it knows, whether the caller keeps what it recorded of the trace, and zeros for all others.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from starlette.types import Scope

from servicekit.telemetry import current_traceparent, is_traced

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
_TRACEPARENT = re.compile(
    r"(?!ff|00.{54})[0-9a-f]{2}-"  # behind its 55 characters version 00 has nothing
    r"(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f](?:([13579bdf])|[02468ace])(?:-.*)?"
)
_STATE_KEY = "request_context"


@dataclass(slots=True)
class RequestContext:
    """``traceparent`` names this service's own span: the caller's trace, continued."""

    request_id: str
    traceparent: str

    @property
    def trace_id(self) -> str:
        return self.traceparent[3:35]


def begin_request(scope: Scope) -> RequestContext:
    """Read the caller's X-Request-ID and traceparent, or make new ones where they are absent or not sane."""
    given_id = given_traceparent = ""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given_id = value.decode("latin-1")
        elif name == b"traceparent":
            given_traceparent = value.decode("latin-1")
    context = RequestContext(
        given_id if _SANE_REQUEST_ID.fullmatch(given_id) else _random_id(),
        current_traceparent() if is_traced(scope) else _continue(given_traceparent),
    )
    scope.setdefault("state", {})[_STATE_KEY] = context
    return context


def request_context(scope: Scope) -> RequestContext:
    """The context that ``begin_request`` stored."""
    context: RequestContext = scope["state"][_STATE_KEY]
    return context


def request_id(scope: Scope) -> str:
    return request_context(scope).request_id


def _continue(traceparent: str) -> str:
    match = _TRACEPARENT.fullmatch(traceparent)
    trace_id, sampled = match.groups() if match else (_random_id(), None)
    return f"00-{trace_id}-{random.getrandbits(64):016x}-{'01' if sampled else '00'}"


def _random_id() -> str:
    """Unlike the system's randomness this costs no system call, which would give up the interpreter's lock."""
    return f"{random.getrandbits(128):032x}"
