"""JSON as it is answered here: compact, and never with a number that is not JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response

to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def json_response(body: Mapping[str, object], status: int = 200) -> Response:
    return Response(to_json(body), status, media_type="application/json")
