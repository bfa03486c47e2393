"""The description of the gateway's HTTP interface, as ``GET /openapi.json``.

Written out, because the routes that matter are plain ones, of which FastAPI knows no more than the address.
Source: OpenAPI 3.1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.documents import (
    Explanation,
    FeedbackGiven,
    FeedbackNoted,
    HealthState,
    Live,
    Method,
    Models,
    Prediction,
    Problem,
    Ready,
    Report,
)
from gateway.model_files import MEDIA_TYPES, NAME

_PROBLEMS = {
    400: "The request is malformed: no body, no field `file`, an empty file, a broken body, a wrong parameter.",
    401: "No API key, or none of those taken.",
    404: "There is no such thing: no model of this name, no prediction of this id.",
    408: "The body did not arrive in time.",
    413: "The body is longer than the limit.",
    415: "Not a format or content type that is taken. Formats are recognised by content.",
    422: "The image is broken, truncated, or has too many pixels.",
    429: "There is too much to do, or this client asks too often; `Retry-After` says when to try again.",
    502: "A service behind the gateway is away.",
    503: "A service behind the gateway is not ready, or is left alone because it failed too often.",
    504: "A service behind the gateway did not answer in time.",
}
_UPSTREAM_PROBLEMS = (429, 502, 503, 504)
_OPEN = ("/health", "/health/live", "/health/ready")
"""Paths that need no key, as the pages do not."""


def openapi_route(*, version: str, needs_key: bool, max_upload_bytes: int) -> Route:
    description = document(version=version, needs_key=needs_key)
    for path in ("/predict", "/explain"):  # the pages refuse a longer photo before they send it
        description["paths"][path]["post"]["requestBody"]["x-max-bytes"] = max_upload_bytes
    body = json.dumps(description).encode()

    def show(request: Request) -> Response:
        return Response(body, headers={"cache-control": "no-cache"}, media_type="application/json")

    return Route("/openapi.json", show)


def document(*, version: str, needs_key: bool = False) -> dict[str, Any]:
    """The whole description."""
    description = _document(version)
    if needs_key:
        description["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        for path, operations in description["paths"].items():
            for operation in operations.values():
                if path not in _OPEN:
                    operation["security"] = [{"key": []}]
                    operation["responses"] |= _problems(401)
    return description


def _document(version: str) -> dict[str, Any]:
    _, schemas = models_json_schema(
        [
            (model, "serialization")
            for model in (
                Prediction,
                Explanation,
                FeedbackGiven,
                FeedbackNoted,
                Models,
                Report,
                HealthState,
                Live,
                Ready,
                Problem,
            )
        ],
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
            "/predict": {
                "post": _photo("predict", "Is there a cat in this photo?", Prediction, parameters=[_MODEL_QUERY])
            },
            "/explain": {
                "post": _photo(
                    "explain",
                    "What in this photo speaks for a cat, and what against one?",
                    Explanation,
                    parameters=[_MODEL_QUERY, _METHOD_QUERY],
                )
            },
            "/api/feedback": {"post": _feedback()},
            "/api/models": {
                "get": _get("models", "The models served", Models, tag="predictions", problems=_UPSTREAM_PROBLEMS)
            },
            "/api/models/{name}/{version}/{file}": {"get": _model_file()},
            "/api/monitor/report": {
                "get": _get(
                    "report",
                    "The report over one window",
                    Report,
                    tag="monitoring",
                    parameters=_REPORT_QUERY,
                    problems=(400, 404, *_UPSTREAM_PROBLEMS),
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


_MODEL_QUERY = {
    "name": "model",
    "in": "query",
    "description": "The name of a served model; without it the default one answers.",
    "schema": {"type": "string"},
}
_METHOD_QUERY = {
    "name": "method",
    "in": "query",
    "description": "How the heatmap is made.",
    "schema": {"enum": list(get_args(Method)), "default": "gradient"},
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
        "schema": {"type": "string", "pattern": f"^{NAME}(/{NAME})?$"},
    },
]
_REPORT_EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "event": {"const": "report"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/Report"},
        },
    },
    "required": ["id", "event", "data"],
}
_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The id seen last: there is no event until there is something newer.",
    "schema": {"type": "string"},
}


def _photo(name: str, summary: str, model: type[BaseModel], *, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    photo = {"type": "string", "format": "binary", "minLength": 1}
    return {
        "summary": summary,
        "operationId": name,
        "tags": ["predictions"],
        "parameters": parameters,
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
            "200": _answer("The answer of the model", model),
            **_problems(400, 404, 408, 413, 415, 422, *_UPSTREAM_PROBLEMS),
        },
    }


def _feedback() -> dict[str, Any]:
    return {
        "summary": "What a photo really showed",
        "description": "A second answer about the same prediction replaces the first.",
        "operationId": "feedback",
        "tags": ["monitoring"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _reference(FeedbackGiven)}}},
        "responses": {
            "200": _answer("Noted", FeedbackNoted),
            **_problems(400, 404, 408, 413, 415, *_UPSTREAM_PROBLEMS),
        },
    }


def _model_file() -> dict[str, Any]:
    name = {"type": "string", "pattern": f"^{NAME}$"}
    return {
        "summary": "A file of a served model, to run the model elsewhere or to read about it",
        "description": "With `sha256` the answer may be kept for ever, and is 404 once the file is another one.",
        "operationId": "modelFile",
        "tags": ["predictions"],
        "parameters": [
            {"name": "name", "in": "path", "required": True, "schema": name},
            {"name": "version", "in": "path", "required": True, "schema": name},
            {"name": "file", "in": "path", "required": True, "schema": {"enum": list(MEDIA_TYPES)}},
            {
                "name": "sha256",
                "in": "query",
                "description": "Of the file, as the manifest names that of the weights.",
                "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            },
        ],
        "responses": {
            "200": {
                "description": "The file",
                "content": {media_type: {"schema": {}} for media_type in dict.fromkeys(MEDIA_TYPES.values())},
            },
            **_problems(404, *_UPSTREAM_PROBLEMS),
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
                "description": "Events, each with a whole report as its data, at most one a second; "
                "a comment every 15 s. The schema is that of one event.",
                "content": {"text/event-stream": {"schema": _REPORT_EVENT}},
            },
            **_problems(400, 404, *_UPSTREAM_PROBLEMS),
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
    return {"description": description, "content": {"application/json": {"schema": _reference(model)}}}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _problems(*statuses: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _reference(Problem)}}
    return {str(status): {"description": _PROBLEMS[status], "content": content} for status in statuses}
