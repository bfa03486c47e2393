"""What can go wrong at the door, and the status of each.

    Problem
        UploadRefused
            MalformedUpload      400   no body, no field "file", an empty file, a broken multipart body
            UploadTooSlow        408   the body did not arrive before the deadline
            UploadTooLarge       413   the body is longer than is taken
            UnsupportedUpload    415   a content type or encoding that is not taken
        KeyMissing               401   no API key, or none of those taken
        TryLater                       (carries Retry-After)
            TooMuchToDo          429   more requests than can be answered soon
            TooManyRequests      429   more requests of one client than it may send
            UpstreamResting      503   a service behind failed so often that it is left alone for a while
        UpstreamFailed
            UpstreamAway         502   no connection, or no usable answer
            UpstreamOutOfTime    504   no answer before the deadline
    AnsweredInstead              (an upstream's answer where a stream was asked for; it is passed on)
    ClientLeft                   (nobody is left to answer)
    PagesMissing                 (stops the start)

An upstream's own 4xx and 5xx answers are not errors here: they are passed on as they are, but for the 429 of inference
about a photo, which is TooMuchToDo.
"""

from __future__ import annotations

from collections.abc import Mapping

from servicekit.problems import Problem

from gateway.transport import Answer


class UploadRefused(Problem):
    """The body of a request cannot be taken."""


class MalformedUpload(UploadRefused):
    status = 400


class UploadTooSlow(UploadRefused):
    status = 408


class UploadTooLarge(UploadRefused):
    status = 413


class UnsupportedUpload(UploadRefused):
    status = 415


class KeyMissing(Problem):
    status = 401

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="catnet"'})


class TryLater(Problem):
    """The same request may succeed soon."""

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": "1"} | dict(headers or {}))


class TooMuchToDo(TryLater):
    status = 429


class TooManyRequests(TryLater):
    status = 429


class UpstreamResting(TryLater):
    status = 503


class UpstreamFailed(Problem):
    """A service behind the gateway did not give an answer that can be passed on."""


class UpstreamAway(UpstreamFailed):
    status = 502


class UpstreamOutOfTime(UpstreamFailed):
    status = 504


class AnsweredInstead(Exception):
    """An upstream refused a stream; ``answer`` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class ClientLeft(Exception):
    """The client closed its connection before its answer."""


class PagesMissing(Exception):
    """The folder of the pages does not hold them."""
