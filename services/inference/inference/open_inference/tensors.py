"""The tensors of the protocol, as JSON or as bytes. Knows nothing of images or HTTP.

Datatypes: UINT8, FP32 (little-endian), and BYTES, whose elements each follow their length in four bytes, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.errors import InvalidInferRequest

_DTYPES: dict[str, type[np.generic]] = {"UINT8": np.uint8, "FP32": np.float32}


def read_numbers(
    data: object | memoryview, datatype: str, shape: tuple[int, ...], name: str
) -> npt.NDArray[np.generic]:
    """The elements of a UINT8 or FP32 tensor, given as bytes or as a JSON list, flat or nested.

    Raises: InvalidInferRequest if they are not as many, or not such numbers.
    """
    dtype = np.dtype(_DTYPES[datatype]).newbyteorder("<")
    if isinstance(data, memoryview):
        if len(data) != dtype.itemsize * np.prod(shape):
            raise InvalidInferRequest(f"input {name!r} has {len(data)} bytes, which do not fill its shape.")
        return np.frombuffer(data, dtype).reshape(shape)
    elements = np.array(data, dtype=object)  # a ragged list has another shape, or holds lists
    if elements.shape not in (shape, (np.prod(shape),)):
        raise InvalidInferRequest(f"input {name!r} does not hold one number for each place of its shape.")
    numbers = elements.ravel().tolist()
    allowed = {int} if datatype == "UINT8" else {int, float}
    if not set(map(type, numbers)) <= allowed:
        raise InvalidInferRequest(f"input {name!r} holds elements that are no {datatype}.")
    try:
        with np.errstate(over="ignore"):  # infinite is for who reads it to refuse
            return np.array(numbers, dtype).reshape(shape)
    except OverflowError:  # outside 0 to 255, or a whole number of hundreds of digits
        raise InvalidInferRequest(f"input {name!r} holds elements that are no {datatype}.") from None


def read_byte_strings(data: memoryview, count: int, name: str) -> list[bytes]:
    """The elements of a BYTES tensor given as bytes.

    Raises: InvalidInferRequest if they are not as many, or do not end where the data ends.
    """
    strings: list[bytes] = []
    position = 0
    while position < len(data) and len(strings) < count:
        end = position + 4
        if end > len(data):
            break
        (length,) = struct.unpack_from("<I", data, position)
        position = end + length
        strings.append(bytes(data[end:position]))
    if position != len(data) or len(strings) != count:
        raise InvalidInferRequest(f"input {name!r} does not hold {count} byte strings with their lengths.")
    return strings


def write_byte_strings(strings: Sequence[str]) -> bytes:
    encoded = [string.encode() for string in strings]
    return b"".join(struct.pack("<I", len(string)) + string for string in encoded)


def object_field(fields: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An optional JSON object.

    Raises: InvalidInferRequest if it is anything else.
    """
    value = fields.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInferRequest(f"{key!r} is not an object.")
    return value
