"""Logs: one JSON object a line on standard output, from our code and from the libraries' loggers alike.

Our own records are rendered and written by structlog itself, which is cheaper than the way through the standard
library's loggers; the line a request has a cheaper one still (``servicekit.access_log``).
"""

from __future__ import annotations

import json
import logging
import logging.config
import sys
from contextlib import suppress
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor

_tracebacks_without_values = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)  # a local variable may hold a password
)
_encoder = json.JSONEncoder(default=repr)

LogStyle = Literal["json", "text"]


def configure_logs(*, service: str, level: str, style: LogStyle) -> None:
    """Give structlog's and the standard library's records one form."""

    def add_service(logger: object, name: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
    ]
    renderers: list[Processor] = (
        [_tracebacks_without_values, _as_json] if style == "json" else [structlog.dev.ConsoleRenderer(colors=False)]
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structlog": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [*shared, structlog.stdlib.ExtraAdder(), _drop_colours],
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
                }
            },
            "handlers": {
                "stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "structlog"}
            },
            "root": {"handlers": ["stdout"], "level": level.upper()},
        }
    )
    structlog.configure(
        processors=[*shared, *renderers],
        logger_factory=_Lines,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )


def write_line(line: str) -> None:
    """Write one line of the log at once. A log that nobody takes fails no request."""
    with suppress(OSError, ValueError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


class _Lines:
    """Where structlog's records end."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        write_line(line)

    debug = info = warning = error = critical = msg


def _as_json(logger: object, name: str, event: EventDict) -> str:
    return _encoder.encode(event)


def _drop_colours(logger: object, name: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)  # uvicorn's message once more, for terminals
    return event
