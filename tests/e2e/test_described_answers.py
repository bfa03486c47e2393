"""The answers of the running services have the fields that the gateway's description says, all of them and no other."""

from __future__ import annotations

import pytest
from gateway.documents import FeedbackNoted, HealthState, Models, Prediction, Ready, Report
from pydantic import BaseModel

from tests.e2e.client import Client
from tests.pictures import photo
from tests.processes import Catnet


def assert_is(model: type[BaseModel], answer: object) -> None:
    """Raises: ValidationError."""
    model.model_validate(answer, extra="forbid")


def test_a_prediction_the_feedback_to_it_and_the_reports_that_count_both(running_catnet: Catnet) -> None:
    with Client(running_catnet.gateway_url) as client:
        before = client.total()
        prediction = client.predict(photo()).json()
        assert_is(Prediction, prediction)
        client.wait_for_at_least(before + 1)
        feedback = {"prediction_id": prediction["prediction_id"], "label": "cat"}
        for _ in range(2):
            assert_is(FeedbackNoted, client.http.post("/api/feedback", json=feedback).json())
        for window in ("15m", "1h", "24h", "7d"):
            assert_is(Report, client.http.get("/api/monitor/report", params={"window": window}).json())


@pytest.mark.parametrize(
    ("path", "model"), [("/api/models", Models), ("/health", HealthState), ("/health/ready", Ready)]
)
def test_what_the_services_say_of_themselves(running_catnet: Catnet, path: str, model: type[BaseModel]) -> None:
    with Client(running_catnet.gateway_url) as client:
        assert_is(model, client.http.get(path).json())
