"""Why a prediction is refused, and with which status.

Problem (servicekit)
├── EmptyBody            400
├── IncompleteBody       400  the client left before its body was complete
├── InvalidDeadline      400
├── InvalidInferRequest  400  not of the Open Inference Protocol, or not for these models
├── UnknownMethod        400
├── UnknownModel         404
├── NoSuchModelFile      404
├── ReloadRefused        409  the models on disk cannot be served; those loaded before go on
├── BodyTooLarge         413
├── UnsupportedEncoding  415
├── UnsupportedImage     415
├── UnusableImage        422  broken, or more pixels than are allowed
├── Overloaded           429
└── DeadlineExceeded     504
"""

from __future__ import annotations

from collections.abc import Iterable

from servicekit.problems import Problem


class EmptyBody(Problem):
    status = 400

    def __init__(self) -> None:
        super().__init__("The body is empty: send the bytes of one image.")


class IncompleteBody(Problem):
    status = 400

    def __init__(self) -> None:
        super().__init__("The body ended before it was complete.")


class InvalidDeadline(Problem):
    status = 400


class InvalidInferRequest(Problem):
    status = 400


class UnknownMethod(Problem):
    status = 400

    def __init__(self, methods: Iterable[str]) -> None:
        super().__init__(f"The method must be one of {', '.join(methods)}.")


class UnknownModel(Problem):
    status = 404

    def __init__(self) -> None:
        super().__init__("No model of this name is served.")


class NoSuchModelFile(Problem):
    status = 404

    def __init__(self) -> None:
        super().__init__("This model has no such file to give away, or no longer the one that was asked for.")


class ReloadRefused(Problem):
    status = 409


class BodyTooLarge(Problem):
    status = 413

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The body is larger than {limit_bytes:,} bytes.")


class UnsupportedEncoding(Problem):
    status = 415

    def __init__(self, encodings: Iterable[str]) -> None:
        super().__init__(f"The Content-Encoding of a body here must be {' or '.join(encodings)}.")


class UnsupportedImage(Problem):
    status = 415


class UnusableImage(Problem):
    status = 422


class Overloaded(Problem):
    status = 429

    def __init__(self) -> None:
        super().__init__("There is too much to do right now. Try again in a moment.", headers={"Retry-After": "1"})


class DeadlineExceeded(Problem):
    status = 504

    def __init__(self) -> None:
        super().__init__("The answer was not ready within its deadline.")
