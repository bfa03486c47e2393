"""The description is complete and true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from gateway.app import create_app
from gateway.documents import Prediction
from gateway.openapi import document
from gateway.settings import GatewaySettings
from starlette.routing import Route

NOT_DESCRIBED = {
    "/",
    "/how-it-works",
    "/dashboard",
    "/docs",
    "/openapi.json",
    "/metrics",
    "/favicon.ico",
    "/static/{path:path}",
    "/service-worker.js",
}


@pytest.fixture
def description() -> dict[str, Any]:
    return document(version="1.2.3")


def test_it_names_every_route_of_the_interface(description: dict[str, Any], frontend_dir: Path) -> None:
    routes = {
        route.path: {method.lower() for method in route.methods or ()} - {"head"}
        for route in create_app(GatewaySettings(frontend_dir=frontend_dir)).routes
        if isinstance(route, Route) and route.path not in NOT_DESCRIBED and not route.path.startswith("/vendor/")
    }
    assert {path: set(methods) for path, methods in description["paths"].items()} == routes


def test_every_reference_leads_somewhere(description: dict[str, Any]) -> None:
    references = set(re.findall(r"#/components/schemas/(\w+)", str(description)))
    assert references == set(description["components"]["schemas"])


def test_every_operation_has_a_name_of_its_own(description: dict[str, Any]) -> None:
    names = [operation["operationId"] for path in description["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_a_key_is_described_where_one_is_needed() -> None:
    paths = document(version="1.2.3", needs_key=True)["paths"]
    open_paths = {path for path, operations in paths.items() for each in operations.values() if "security" not in each}
    assert open_paths == {"/health", "/health/live", "/health/ready"}
    assert "401" in paths["/predict"]["post"]["responses"]


def test_a_prediction_is_as_the_contract_has_it() -> None:
    example = {
        "prediction_id": "018f0000-0000-7000-8000-000000000000",
        "label": "cat",
        "confidence": 0.962,
        "cat_probability": 0.962,
        "certain": True,
        "model": {"name": "catnet", "version": "1"},
        "image": {"format": "JPEG", "width": 4032, "height": 3024},
        "timings_ms": {"decode": 4.1, "forward": 1.2, "total": 6.0},
    }
    assert Prediction.model_validate(example).model_dump() == example
