"""Logs: one JSON object a line on standard output, from our code and from the libraries' loggers alike.

Our own records are rendered and written by structlog itself, which is cheaper than the way through the standard
library's loggers; the line a request has a cheaper one still (``servicekit.access_log``). Nobody waits for the reader
of the log: what does not fit where it goes is dropped, counted, and told when there is room again.
"""

from __future__ import annotations

import json
import logging
import logging.config
import sys
from collections.abc import Iterable
from threading import Lock
from typing import Literal

import structlog
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from structlog.typing import EventDict, Processor

from servicekit.output import Output

_tracebacks_without_values = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)  # a local variable may hold a password
)
_encoder = json.JSONEncoder(default=repr)
_log = structlog.get_logger("log")

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
                "lines": {"()": _LinesOfOthers, "formatter": "structlog"},
            },
            "root": {"handlers": ["lines"], "level": level.upper()},
        }
    )
    structlog.configure(
        processors=[*shared, *renderers],
        logger_factory=_Lines,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )


class LogLines:
    """The log's lines, on their way to a file handle."""

    def __init__(self, handle: int) -> None:
        self._output = Output(handle)
        self._counting = Lock()
        self._untold = 0
        self.dropped = 0
        """Since the start."""

    def write(self, line: str) -> None:
        """Write one line at once, or count it as dropped. Never waits, never fails."""
        try:
            is_written = self._output.write(f"{line}\n".encode(errors="backslashreplace"))
        except OSError:
            is_written = False
        if not is_written:
            with self._counting:
                self._untold += 1
                self.dropped += 1
        elif self._untold:
            self._tell_of_dropped()

    def _tell_of_dropped(self) -> None:
        with self._counting:
            untold, self._untold = self._untold, 0
        if not untold:
            return  # another thread tells of them
        _log.error("lines of the log were dropped: nobody took them", lines=untold)
        with self._counting:
            if self._untold:  # that one too
                self._untold += untold


_standard_output = LogLines(1) if sys.__stdout__ is not None else None
"""A process may be started without; its handle is then some other file's."""


class DroppedLines(Collector):
    """Shows how many lines of this process's log were dropped."""

    def __init__(self, service: str) -> None:
        self._service = service

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(
            "catnet_log_lines_dropped", "Lines of the log that nobody took in time.", labels=["service"]
        )
        family.add_metric([self._service], _standard_output.dropped if _standard_output is not None else 0)
        yield family


def write_line(line: str) -> None:
    """Write one line of the log. A log that nobody takes keeps no request waiting, and fails none."""
    if _standard_output is not None:
        _standard_output.write(line)


class _LinesOfOthers(logging.Handler):
    """Where the records of the standard library's loggers end."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # a library whose message does not fit its arguments fails nobody
            self.handleError(record)
        else:
            write_line(line)


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
