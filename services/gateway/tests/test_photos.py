"""A photo is held until inference has answered, and no longer: its client may take the answer when it likes."""

from __future__ import annotations

import sys

import pytest
from gateway.admission import Admission
from gateway.circuit import Circuit
from gateway.errors import UpstreamAway
from gateway.metrics import GatewayMetrics
from gateway.photos import PhotoEndpoint
from gateway.settings import GatewaySettings
from gateway.transport import Answer, Content, TransportError
from gateway.upload_memory import UploadMemory
from prometheus_client import CollectorRegistry
from servicekit.problems import Problem
from servicekit.request_context import begin_request
from starlette.types import Message, Scope

pytestmark = pytest.mark.anyio

PHOTO_BYTES = 1000
JPEG = (b"content-type", b"image/jpeg")


class Sender:
    """Sends a photo, and looks what is held of it once it is answered."""

    def __init__(self, *, is_answered: bool, is_complete: bool = True) -> None:
        metrics = GatewayMetrics(CollectorRegistry())
        self._photo = bytes(PHOTO_BYTES)
        self._references = sys.getrefcount(self._photo)
        self._is_answered = is_answered
        self._pieces = [self._photo] if is_complete else [self._photo, b"x"]
        self._memory = UploadMemory(limit_bytes=PHOTO_BYTES, shed=metrics.requests_shed)
        self._endpoint = PhotoEndpoint(
            self._ask,
            query=(),
            admission=Admission(
                in_flight=1, queue=0, queue_seconds=1.0, expected_seconds=1.0, shed=metrics.requests_shed
            ),
            memory=self._memory,
            circuit=Circuit("inference", metrics.circuit_state.labels("inference")),
            settings=GatewaySettings(inference_url="http://x", monitor_url="http://x"),
        )
        self.statuses: list[int] = []

    async def send_photo(self) -> None:
        length = b"%d" % sum(map(len, self._pieces))
        scope: Scope = {"type": "http", "path": "/predict", "query_string": b"", "state": {}}
        scope["headers"] = [JPEG, (b"content-length", length)]
        begin_request(scope)
        try:
            await self._endpoint(scope, self._receive, self._send)
        except Problem as problem:
            self._look(problem.status)

    async def _ask(self, photo: Content, **_: object) -> Answer:
        if self._is_answered:
            return Answer(200, {JPEG[0]: b"application/json"}, b"{}")
        try:
            raise TransportError
        except TransportError as error:
            raise UpstreamAway("away") from error

    async def _receive(self) -> Message:
        piece = self._pieces[0]
        del self._pieces[0]
        return {"type": "http.request", "body": piece, "more_body": bool(self._pieces)}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._look(message["status"])

    def _look(self, status: int) -> None:
        references = sys.getrefcount(self._photo)
        assert references == self._references
        self._memory.take(PHOTO_BYTES)
        self._memory.give_back(PHOTO_BYTES)
        self.statuses.append(status)


async def test_nothing_of_a_photo_is_held_while_its_answer_is_sent() -> None:
    sender = Sender(is_answered=True)
    await sender.send_photo()
    assert sender.statuses == [200]


async def test_nothing_of_a_photo_is_held_while_its_failure_is_sent() -> None:
    sender = Sender(is_answered=False)
    await sender.send_photo()
    assert sender.statuses == [502]


async def test_nothing_of_a_photo_is_held_while_its_refusal_is_sent() -> None:
    sender = Sender(is_answered=True, is_complete=False)
    await sender.send_photo()
    assert sender.statuses == [429]
