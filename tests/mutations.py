"""Sound files made unsound: the small and large damage that transport, storage and malice do."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

_TELLING_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutated(files: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """One of the files after one to four mutations; its beginning, which tells the format, mostly survives."""
    data = files[rng.integers(len(files))]
    for _ in range(rng.integers(1, 5)):
        mutate = _MUTATIONS[rng.integers(len(_MUTATIONS))]
        data = mutate(data, rng) or data
    if rng.random() < 0.1:  # the tail of another file
        other = files[rng.integers(len(files))]
        data = data[: _position(data, rng)] + other[_position(other, rng) :]
    return data


def _position(data: bytes, rng: np.random.Generator) -> int:
    """Half of the time among the first 200 bytes, where the headers are."""
    return int(rng.integers(min(len(data), 200) if rng.random() < 0.5 else len(data)))


def _change_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.integers(1, 20)):
        changed[_position(data, rng)] = rng.integers(256)
    return bytes(changed)


def _flip_bit(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    changed[_position(data, rng)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _write_telling_number(data: bytes, rng: np.random.Generator) -> bytes:
    """A length or a size at its edge, of two or four bytes in either order."""
    number = _TELLING_NUMBERS[rng.integers(len(_TELLING_NUMBERS))]
    form = ("<H", ">H", "<I", ">I")[rng.integers(4)]
    packed = struct.pack(form, number & (0xFFFF if form.endswith("H") else 0xFFFFFFFF))
    position = _position(data, rng)
    return data[:position] + packed + data[position + len(packed) :]


def _truncate(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: _position(data, rng)]


def _remove(data: bytes, rng: np.random.Generator) -> bytes:
    position = _position(data, rng)
    return data[:position] + data[position + int(rng.integers(1, 64)) :]


def _insert_noise(data: bytes, rng: np.random.Generator) -> bytes:
    position = _position(data, rng)
    return data[:position] + rng.bytes(int(rng.integers(1, 64))) + data[position:]


def _repeat(data: bytes, rng: np.random.Generator) -> bytes:
    position = _position(data, rng)
    part = data[position : position + int(rng.integers(1, 256))]
    return data[:position] + part * int(rng.integers(2, 20)) + data[position:]


def _zero(data: bytes, rng: np.random.Generator) -> bytes:
    position = _position(data, rng)
    length = int(rng.integers(1, 64))
    return data[:position] + bytes(length) + data[position + length :]


_MUTATIONS = (
    _change_bytes, _flip_bit, _write_telling_number, _truncate, _remove, _insert_noise, _repeat, _zero,
)  # fmt: skip
