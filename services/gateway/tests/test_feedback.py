"""What a photo really showed goes to the monitor as it was sent, and the monitor's answer comes back."""

from __future__ import annotations

import pytest
from gateway.feedback import LIMIT_BYTES

from services.gateway.tests.running_gateway import RunningGateway
from services.gateway.tests.scripted_upstream import ScriptedUpstream, answer

pytestmark = pytest.mark.anyio

FEEDBACK = {"prediction_id": "018f0000-0000-7000-8000-000000000000", "label": "cat"}


async def test_it_reaches_the_monitor(gateway: RunningGateway, monitor: ScriptedUpstream) -> None:
    monitor.behave = answer(FEEDBACK)
    response = await gateway.http.post("/api/feedback", json=FEEDBACK, headers={"x-request-id": "mine"})
    assert (response.status_code, response.json()) == (200, FEEDBACK)
    received = monitor.received[0]
    assert (received.method, received.target) == ("POST", "/feedback")
    assert received.headers["content-type"] == "application/json"
    assert received.headers["x-request-id"] == "mine"
    assert received.body.replace(b" ", b"") == str(FEEDBACK).replace("'", '"').replace(" ", "").encode()


async def test_an_unknown_prediction_is_a_404_of_this_address(
    gateway: RunningGateway, monitor: ScriptedUpstream
) -> None:
    problem = {"status": 404, "detail": "unknown", "instance": "/feedback"}
    monitor.behave = answer(problem, status=404, content_type="application/problem+json")
    response = await gateway.http.post("/api/feedback", json=FEEDBACK)
    assert (response.status_code, response.json()["instance"]) == (404, "/api/feedback")


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"label=cat", "application/x-www-form-urlencoded", 415),
        (b" " * (LIMIT_BYTES + 1), "application/json", 413),
    ],
    ids=["nothing", "a form", "too long"],
)
async def test_what_cannot_be_feedback_reaches_nobody(
    gateway: RunningGateway, monitor: ScriptedUpstream, content: bytes, content_type: str, status: int
) -> None:
    response = await gateway.http.post("/api/feedback", content=content, headers={"content-type": content_type})
    assert (response.status_code, response.json()["status"]) == (status, status)
    assert monitor.received == []
