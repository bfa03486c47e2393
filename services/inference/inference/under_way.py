"""How many of a kind are under way."""

from __future__ import annotations


class UnderWay:
    """Each block that it is held around counts."""

    def __init__(self) -> None:
        self.number = 0

    def __enter__(self) -> None:
        self.number += 1

    def __exit__(self, *_: object) -> None:
        self.number -= 1
