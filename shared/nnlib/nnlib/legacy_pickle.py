"""Reading the original project's parameters.pkl without ever trusting it.

A pickle is a program, so this one is not run with NumPy's own constructors (a crafted array state can corrupt memory).
First every instruction is read without executing any, against a short allow-list and bounds; then the pickle is loaded
with inert stand-ins for the handful of names that a dict of arrays needs, which only record what they are given; last,
the recorded bytes are checked and become arrays. Any other name, dtype or size is refused.
"""

import io
import math
import pickle
import pickletools
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlib.errors import LegacyPickleError
from nnlib.initializers import zeros
from nnlib.layers import Flatten, Layer, Linear, ReLU
from nnlib.network import Network
from nnlib.preprocessing import IMAGE_SIZE

MAX_BYTES = 64 << 20
MAX_INSTRUCTIONS = 10_000

_ALLOWED_INSTRUCTIONS = set(
    """
    PROTO FRAME STOP MARK POP POP_MARK EMPTY_DICT DICT SETITEM SETITEMS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 NONE
    NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE
    SHORT_BINUNICODE BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 PUT BINPUT LONG_BINPUT GET BINGET LONG_BINGET
    MEMOIZE GLOBAL STACK_GLOBAL REDUCE BUILD
    """.split()  # noqa: SIM905  a list of forty quoted names reads worse
)
_DTYPES = {"<f8", ">f8", "<f4", ">f4"}
_KEY = re.compile(r"[Wb][1-9][0-9]?")


class _RecordedDtype:
    """Stands in for numpy.dtype: remembers the type code and the byte order."""

    def __init__(self, code: str, *flags: object) -> None:
        self.code = code
        self.byte_order = "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.byte_order = state[1]

    def resolve(self) -> np.dtype[Any]:
        name = f"{self.byte_order}{self.code}"
        if name not in _DTYPES:
            raise LegacyPickleError(f"an array has the type {name!r}, expected float64 or float32")
        return np.dtype(name)


class _RecordedArray:
    """Stands in for numpy.ndarray: remembers shape, type, order and bytes."""

    def __init__(self) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state[1:]  # the first is a format number

    def resolve(self, name: str) -> npt.NDArray[np.float64]:
        if len(self.state) != 4:
            raise LegacyPickleError(f"{name} is not a complete array")
        shape, dtype, is_fortran, data = self.state
        if isinstance(data, str):  # written by Python 2
            data = data.encode("latin1")
        if not isinstance(dtype, _RecordedDtype) or not isinstance(data, bytes | bytearray):
            raise LegacyPickleError(f"{name} is not an array of numbers")
        if not isinstance(shape, tuple) or not all(type(size) is int and size > 0 for size in shape):
            raise LegacyPickleError(f"{name} has no proper shape")
        numpy_dtype = dtype.resolve()
        if math.prod(shape) * numpy_dtype.itemsize != len(data):
            raise LegacyPickleError(f"{name} has {len(data)} bytes, which do not make the shape {shape}")
        array = np.frombuffer(data, numpy_dtype).reshape(shape, order="F" if is_fortran else "C").astype(np.float64)
        if not np.isfinite(array).all():
            raise LegacyPickleError(f"{name} holds numbers that are not finite")
        return array


class _StandIn:
    """A function the pickle may call. It holds nothing, and refuses the BUILD instruction's attempt to change it."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        raise LegacyPickleError("it tries to change a function")


class _Reconstruct(_StandIn):
    def __call__(self, kind: object, *arguments: object) -> _RecordedArray:
        return _RecordedArray()


class _FromBuffer(_StandIn):
    def __call__(self, data: object, dtype: object, shape: object, order: object) -> _RecordedArray:
        array = _RecordedArray()
        array.state = (shape, dtype, order == "F", data)
        return array


class _Encode(_StandIn):
    def __call__(self, text: str, encoding: str) -> bytes:
        return text.encode("latin1")  # how protocols before 3 wrote bytes; no other encoding occurs


_STAND_INS: dict[str, Any] = {
    "numpy.ndarray": _RecordedArray,
    "numpy.dtype": _RecordedDtype,
    "numpy.core.multiarray._reconstruct": _Reconstruct(),
    "numpy._core.multiarray._reconstruct": _Reconstruct(),
    "numpy.core.numeric._frombuffer": _FromBuffer(),
    "numpy._core.numeric._frombuffer": _FromBuffer(),
    "_codecs.encode": _Encode(),
}


class _InertUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _STAND_INS[f"{module}.{name}"]
        except KeyError:
            raise LegacyPickleError(f"it asks for {module}.{name}, which no array needs") from None


def read_parameters(data: bytes) -> dict[str, npt.NDArray[np.float64]]:
    """Read a pickled dict {"W1": array, "b1": array, ...} of float arrays.

    Raises: LegacyPickleError if it is, or asks for, anything else.
    """
    if len(data) > MAX_BYTES:
        raise LegacyPickleError(f"it is larger than {MAX_BYTES:,} bytes")
    try:
        _check_instructions(data)
        recorded = _InertUnpickler(io.BytesIO(data), encoding="latin1").load()
    except LegacyPickleError:
        raise
    except Exception as error:  # damaged pickles raise nearly anything
        raise LegacyPickleError("it is truncated or damaged") from error
    if not isinstance(recorded, dict):
        raise LegacyPickleError("it does not hold a dict")
    parameters = {}
    for name, array in recorded.items():
        if not isinstance(name, str) or not _KEY.fullmatch(name) or not isinstance(array, _RecordedArray):
            raise LegacyPickleError("it holds more than arrays named W1, b1, W2, b2, ...")
        parameters[name] = array.resolve(name)
    return parameters


def _check_instructions(data: bytes) -> None:
    """Read the program without running it: a memo index alone can make the unpickler allocate gigabytes."""
    for count, (instruction, argument, _) in enumerate(pickletools.genops(data)):
        if count >= MAX_INSTRUCTIONS:
            raise LegacyPickleError(f"it has more than {MAX_INSTRUCTIONS:,} instructions")
        if instruction.name not in _ALLOWED_INSTRUCTIONS:
            raise LegacyPickleError(f"it uses the instruction {instruction.name}, which no array needs")
        if "PUT" in instruction.name and int(argument or 0) > MAX_INSTRUCTIONS:
            raise LegacyPickleError("it numbers its objects beyond reason")


def network_from_parameters(parameters: dict[str, npt.NDArray[np.float64]]) -> Network:
    """Build the network of a parameters dict: Linear and ReLU in turn, one logit at the end.

    The original keeps one column a sample, so its weights are the transpose of ours.

    Shapes: Wn (out_features, in_features), bn (out_features, 1), one after the other from 12288 features to 1.
    Raises: LegacyPickleError if they do not make such a chain.
    """
    depth = len(parameters) // 2
    expected = {f"{letter}{position}" for position in range(1, depth + 1) for letter in "Wb"}
    if not depth or parameters.keys() != expected:
        raise LegacyPickleError(f"it holds {', '.join(sorted(parameters)) or 'nothing'}, expected W1, b1, W2, b2, ...")
    layers: list[Layer] = [Flatten()]
    arrays = {}
    features = IMAGE_SIZE * IMAGE_SIZE * 3
    for position in range(1, depth + 1):
        weight, bias = parameters[f"W{position}"], parameters[f"b{position}"]
        if weight.ndim != 2 or weight.shape[1] != features or bias.shape != (len(weight), 1):
            raise LegacyPickleError(f"W{position} has shape {weight.shape} and b{position} {bias.shape}: no chain")
        if position > 1:
            layers.append(ReLU())
        layers.append(Linear(features, len(weight), rng=np.random.default_rng(0), initializer=zeros))
        arrays[f"linear{position}.weight"] = weight.T
        arrays[f"linear{position}.bias"] = bias[:, 0]
        features = len(weight)
    if features != 1:
        raise LegacyPickleError(f"its last layer has {features} outputs, expected 1")
    network = Network(layers)
    network.load(arrays)
    return network
