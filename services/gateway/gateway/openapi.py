"""The description of the gateway's HTTP interface, as ``GET /openapi.json``.

Written out, because the routes that matter are plain ones, of which FastAPI knows no more than the address.
Source: OpenAPI 3.1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.documents import HealthState, Live, Models, Prediction, Problem, Ready, Report

_PROBLEMS = {
    400: "The request is malformed: no body, no field `file`, an empty file, a broken multipart body.",
    404: "No model of this name is served.",
    408: "The body did not arrive in time.",
    413: "The body is longer than the limit.",
    415: "Not a format or content type that is taken. Formats are recognised by content.",
    422: "The image is broken, truncated, or has too many pixels.",
    502: "A service behind the gateway is away.",
    503: "A service behind the gateway is not ready, or has too much to do.",
    504: "A service behind the gateway did not answer in time.",
}
_UPSTREAM_PROBLEMS = (502, 503, 504)


def openapi_route(*, version: str) -> Route:
    body = json.dumps(document(version=version)).encode()

    def show(request: Request) -> Response:
        return Response(body, headers={"cache-control": "no-cache"}, media_type="application/json")

    return Route("/openapi.json", show)


def document(*, version: str) -> dict[str, Any]:
    """The whole description."""
    _, schemas = models_json_schema(
        [(model, "serialization") for model in (Prediction, Models, Report, HealthState, Live, Ready, Problem)],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "catnet",
            "version": version,
            "description": "Is there a cat in the photo? And how well does the model that says so do?",
        },
        "paths": {
            "/predict": {"post": _predict()},
            "/api/models": {
                "get": _get("models", "The models served", Models, tag="predictions", problems=_UPSTREAM_PROBLEMS)
            },
            "/api/monitor/report": {
                "get": _get(
                    "report",
                    "The report over one window",
                    Report,
                    tag="monitoring",
                    parameters=_REPORT_QUERY,
                    problems=(400, *_UPSTREAM_PROBLEMS),
                )
            },
            "/api/monitor/stream": {"get": _stream()},
            "/health": {
                "get": _get(
                    "health", "What works", HealthState, tag="health", also={503: ("Inference is away.", HealthState)}
                )
            },
            "/health/live": {"get": _get("live", "Whether this process runs", Live, tag="health")},
            "/health/ready": {
                "get": _get(
                    "ready",
                    "Whether to send traffic here",
                    Ready,
                    tag="health",
                    also={503: ("Inference is away, or this process is about to stop.", Ready)},
                )
            },
        },
        "components": {"schemas": schemas["$defs"]},
    }


_REPORT_QUERY = [
    {
        "name": "window",
        "in": "query",
        "description": "How far back.",
        "schema": {"enum": ["15m", "1h", "24h", "7d"], "default": "1h"},
    },
    {
        "name": "model",
        "in": "query",
        "description": "`name` or `name/version`; without it the newest version of the default model.",
        "schema": {"type": "string"},
    },
]
_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The id seen last: there is no event until there is something newer.",
    "schema": {"type": "string"},
}


def _predict() -> dict[str, Any]:
    photo = {"type": "string", "format": "binary", "minLength": 1}
    return {
        "summary": "Is there a cat in this photo?",
        "operationId": "predict",
        "tags": ["predictions"],
        "parameters": [
            {
                "name": "model",
                "in": "query",
                "description": "The name of a served model; without it the default one answers.",
                "schema": {"type": "string"},
            }
        ],
        "requestBody": {
            "required": True,
            "description": "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC, as a form's field `file` or as bare bytes.",
            "content": {
                "multipart/form-data": {
                    "schema": {"type": "object", "properties": {"file": photo}, "required": ["file"]}
                },
                "image/*": {"schema": photo},
                "application/octet-stream": {"schema": photo},
            },
        },
        "responses": {
            "200": _answer("The prediction", Prediction),
            **_problems(400, 404, 408, 413, 415, 422, *_UPSTREAM_PROBLEMS),
        },
    }


def _stream() -> dict[str, Any]:
    return {
        "summary": "The report as server-sent events, on change",
        "operationId": "stream",
        "tags": ["monitoring"],
        "parameters": [*_REPORT_QUERY, _LAST_EVENT_ID],
        "responses": {
            "200": {
                "description": "Events named `report`, each with a whole report as its data, at most one a second; "
                "a comment every 15 s.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            **_problems(400, *_UPSTREAM_PROBLEMS),
        },
    }


def _get(
    name: str,
    summary: str,
    model: type[BaseModel],
    *,
    tag: str,
    parameters: list[dict[str, Any]] | None = None,
    problems: tuple[int, ...] = (),
    also: Mapping[int, tuple[str, type[BaseModel]]] | None = None,
) -> dict[str, Any]:
    others = {str(status): _answer(text, other) for status, (text, other) in (also or {}).items()}
    return {
        "summary": summary,
        "operationId": name,
        "tags": [tag],
        "parameters": parameters or [],
        "responses": {"200": _answer(summary, model), **others, **_problems(*problems)},
    }


def _answer(description: str, model: type[BaseModel]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problems(*statuses: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {"application/problem+json": {"schema": schema}}
    return {str(status): {"description": _PROBLEMS[status], "content": content} for status in statuses}
