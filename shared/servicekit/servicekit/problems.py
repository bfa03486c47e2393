"""Errors as the client sees them: RFC 9457 ``application/problem+json``.

    Problem                      any error that has an answer; carries its own status
    starlette HTTPException      404, 405 and the like, raised by the router
    RequestValidationError       400: a parameter or body that the route cannot read

The application answers the latter two, and ``middleware.RequestMiddleware`` the first; anything else as a bare 500: no
message of ours or of a library leaves.
Source: RFC 9457, section 3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from servicekit.request_context import request_id

MEDIA_TYPE = "application/problem+json"

_RENAMED = {413: "Content Too Large", 422: "Unprocessable Content"}
"""RFC 9110's names for two statuses; the standard library has them from Python 3.13, and ``type`` must not differ."""


_PLAIN = "/!$&'()*+,;=:@"
"""What may stand in a path as it is, beside what always may: an instance is a URI reference (RFC 3986, section 3.3)."""

ErrorResponse = Callable[[Scope, int, str, Mapping[str, str] | None], Response]
"""From the scope of a request, a status, a detail and headers to the answer, as ``problem_response`` makes it."""


class Problem(Exception):
    """An error with an answer: raise it anywhere in a request; subclasses set ``status``."""

    status = 500

    def __init__(self, detail: str, *, status: int | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status or self.status
        self.headers = dict(headers or {})


def problem_response(scope: Scope, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer for an error: type, title, status, detail, instance and request_id."""
    title = _RENAMED.get(status) or HTTPStatus(status).phrase
    body = {
        "type": "urn:catnet:problem:" + re.sub(r"[^a-z]+", "-", title.lower()),
        "title": title,
        "status": status,
        "detail": detail,
        "instance": quote(scope["path"], safe=_PLAIN),
        "request_id": request_id(scope),
    }
    return Response(json.dumps(body), status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def install_problem_handlers(app: FastAPI, error_response: ErrorResponse = problem_response) -> None:
    """Answer the errors of the frameworks, with a problem body unless the service has another way."""

    async def answer_http_exception(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type
        details = {
            404: "There is nothing at this address.",
            405: f"{request.method} is not allowed here.",
        }
        detail = details.get(error.status_code, str(error.detail))
        return error_response(request.scope, error.status_code, detail, error.headers)

    async def answer_validation_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type
        faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()[:5]]
        return error_response(request.scope, 400, "; ".join(faults), None)

    app.add_exception_handler(HTTPException, answer_http_exception)
    app.add_exception_handler(RequestValidationError, answer_validation_error)
