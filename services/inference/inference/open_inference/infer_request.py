"""An inference request: from the bytes of its body to images, checked part by part."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from nnlib.preprocessing import IMAGE_SIZE, detect_format
from pydantic_core import from_json

from inference.errors import InvalidInferRequest
from inference.open_inference.tensors import object_field, read_byte_strings, read_numbers

PICTURE_SHAPE = (IMAGE_SIZE, IMAGE_SIZE, 3)

OTHER_VALUES = 1000
"""So many may be in the JSON of a request beside those of its images: a parameter, a shape, a name."""

OUTPUTS = ("cat_probability", "label")


@dataclass(frozen=True, slots=True)
class RequestedOutput:
    name: str
    binary: bool


@dataclass(frozen=True, slots=True)
class InferRequest:
    """``images`` holds encoded images, or pixels uint8 0..255 of shape (batch, 64, 64, 3)."""

    id: str | None
    images: list[bytes] | npt.NDArray[np.uint8]
    outputs: Sequence[RequestedOutput]


def read_infer_request(body: bytes, header_length: str | None, *, max_images: int) -> InferRequest:
    """Read a body; ``header_length`` is how much of it is JSON, as Inference-Header-Content-Length says.

    Raises: InvalidInferRequest.
    """
    header, binary = _split(body, header_length)
    if header.count(b",") > max_images * math.prod(PICTURE_SHAPE) + OTHER_VALUES:
        # Nothing else runs while JSON is read: millions of values would hold all others up for a second.
        raise InvalidInferRequest(f"The JSON holds more values than {max_images} images have.")
    try:
        fields = from_json(header)
    except ValueError:
        raise InvalidInferRequest("The body is not JSON.") from None
    if not isinstance(fields, dict):
        raise InvalidInferRequest("The body is not a JSON object.")
    request_id = fields.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise InvalidInferRequest("'id' is not a string.")
    binary_by_default = object_field(fields, "parameters").get("binary_data_output") is True
    return InferRequest(
        id=request_id,
        images=_read_input(_the_input(fields), binary, max_images),
        outputs=_read_outputs(fields.get("outputs"), binary_by_default),
    )


def _split(body: bytes, header_length: str | None) -> tuple[bytes, memoryview]:
    if header_length is None:
        return body, memoryview(b"")
    if not (header_length.isascii() and header_length.isdigit() and len(header_length) < 20):
        raise InvalidInferRequest("Inference-Header-Content-Length is not a number of bytes.")
    length = int(header_length)
    if length > len(body):
        raise InvalidInferRequest("Inference-Header-Content-Length is longer than the body.")
    return body[:length], memoryview(body)[length:]


def _the_input(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    inputs = fields.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise InvalidInferRequest("'inputs' is not a list of one tensor: either 'pixels' or 'image'.")
    tensor: Mapping[str, Any] = inputs[0]
    return tensor


def _read_input(tensor: Mapping[str, Any], binary: memoryview, max_images: int) -> list[bytes] | npt.NDArray[np.uint8]:
    name, datatype, shape = tensor.get("name"), tensor.get("datatype"), _shape(tensor.get("shape"))
    data = _data(tensor, binary)
    match name, datatype, shape:
        case "pixels", "UINT8" | "FP32", (count, *picture) if tuple(picture) == PICTURE_SHAPE:
            _check_count(count, max_images)
            return _as_pixels(read_numbers(data, str(datatype), shape, "pixels"))
        case "image", "BYTES", (count,):
            _check_count(count, max_images)
            if isinstance(data, memoryview):
                return [_raw_or_base64(element) for element in read_byte_strings(data, count, "image")]
            return _read_base64(data, count)
        case "pixels", _, _:
            raise InvalidInferRequest("input 'pixels' must be UINT8 or FP32 of shape [-1, 64, 64, 3].")
        case "image", _, _:
            raise InvalidInferRequest("input 'image' must be BYTES of shape [-1].")
    raise InvalidInferRequest("The input's name must be 'pixels' or 'image'.")


def _shape(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(length) is int for length in value):
        raise InvalidInferRequest("The input's 'shape' is not a list of whole numbers.")
    return tuple(value)


def _check_count(count: int, max_images: int) -> None:
    if not 1 <= count <= max_images:
        raise InvalidInferRequest(f"A request must hold from 1 to {max_images} images.")


def _data(tensor: Mapping[str, Any], binary: memoryview) -> object | memoryview:
    """The part of the body behind the JSON, where the tensor says that it is there, else its "data"."""
    size = object_field(tensor, "parameters").get("binary_data_size")
    if size is None:
        if len(binary):
            raise InvalidInferRequest("There is binary data behind the JSON that no input claims.")
        data: object = tensor.get("data")
        if not isinstance(data, list):
            raise InvalidInferRequest("The input has neither a list as 'data' nor 'binary_data_size'.")
        return data
    if "data" in tensor:
        raise InvalidInferRequest("The input has both 'data' and 'binary_data_size'.")
    if size != len(binary):
        raise InvalidInferRequest("'binary_data_size' is not the number of bytes behind the JSON.")
    return binary


def _as_pixels(numbers: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """FP32 pixels have the range of UINT8 and are rounded to it."""
    if numbers.dtype != np.uint8:
        if not (numbers.min() >= 0 and numbers.max() <= 255):  # not a number compares false
            raise InvalidInferRequest("input 'pixels' holds numbers outside 0 to 255.")
        numbers = np.rint(numbers)
    return numbers.astype(np.uint8, copy=False)


def _read_base64(data: object, count: int) -> list[bytes]:
    strings = np.array(data, dtype=object).ravel().tolist()
    if len(strings) != count or not all(isinstance(string, str) for string in strings):
        raise InvalidInferRequest(f"input 'image' does not hold {count} strings.")
    images = []
    for position, string in enumerate(strings):
        image = _decode_base64(string.encode("utf-8", "replace"))
        if image is None:
            raise InvalidInferRequest(f"image {position} is not base64.")
        images.append(image)
    return images


def _raw_or_base64(element: bytes) -> bytes:
    """Bytes need no base64, but some clients send it: it begins as no image does."""
    if detect_format(element) is not None:
        return element
    decoded = _decode_base64(element)
    return element if decoded is None else decoded


def _decode_base64(text: bytes) -> bytes | None:
    """Line breaks are allowed, as programs that write base64 make them."""
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        return None


def _read_outputs(value: object, binary_by_default: bool) -> list[RequestedOutput]:
    if value is None or value == []:
        return [RequestedOutput(name, binary_by_default) for name in OUTPUTS]
    if not isinstance(value, list) or not all(isinstance(output, dict) for output in value):
        raise InvalidInferRequest("'outputs' is not a list of objects.")
    names = [output.get("name") for output in value]
    if any(name not in OUTPUTS for name in names) or len(set(names)) != len(names):
        raise InvalidInferRequest(f"'outputs' must name some of {', '.join(OUTPUTS)}, each once.")
    return [
        RequestedOutput(
            output["name"], object_field(output, "parameters").get("binary_data", binary_by_default) is True
        )
        for output in value
    ]
