"""The answer to an inference request: one JSON object, and behind it the outputs that were wanted as bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from events.prediction import PredictionEvent
from nnlib.manifest import Manifest
from starlette.responses import Response

from inference.json_response import to_json
from inference.open_inference.infer_request import InferRequest
from inference.open_inference.tensors import write_byte_strings


def infer_response(request: InferRequest, manifest: Manifest, events: Sequence[PredictionEvent]) -> Response:
    """Answer with the predictions, in the order of the request's images and of its outputs."""
    binary = b""
    outputs = []
    for requested in request.outputs:
        output = _describe(requested.name, len(events))
        if requested.binary:
            data = _as_bytes(requested.name, events)
            output["parameters"] = {"binary_data_size": len(data)}
            binary += data
        else:
            output["data"] = [_value(requested.name, event) for event in events]
        outputs.append(output)
    fields: dict[str, object] = {"model_name": manifest.name, "model_version": manifest.version, "outputs": outputs}
    if request.id is not None:
        fields["id"] = request.id
    header = to_json(fields).encode()
    if not binary:
        return Response(header, media_type="application/json")
    return Response(
        header + binary,
        headers={"Inference-Header-Content-Length": str(len(header))},
        media_type="application/octet-stream",
    )


def _describe(name: str, count: int) -> dict[str, object]:
    if name == "label":
        return {"name": name, "datatype": "BYTES", "shape": [count]}
    return {"name": name, "datatype": "FP32", "shape": [count, 1]}


def _value(name: str, event: PredictionEvent) -> str | float:
    return event.label if name == "label" else event.cat_probability


def _as_bytes(name: str, events: Sequence[PredictionEvent]) -> bytes:
    if name == "label":
        return write_byte_strings([event.label for event in events])
    return np.array([event.cat_probability for event in events], dtype="<f4").tobytes()
