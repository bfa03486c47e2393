"""The line a request is the one that structlog would write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import structlog
from servicekit.access_log import AccessLog
from servicekit.logs import LogStyle, configure_logs
from servicekit.request_context import RequestContext

CONTEXT = RequestContext("a.b:c+d/e-f", f"00-{'1' * 32}-{'2' * 16}-01")
FIELDS = {"method": "POST", "route": "/predict", "status": 200, "duration_ms": 1.235, "request_id": CONTEXT.request_id}


@pytest.fixture(autouse=True)
def structlog_as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def lines(style: LogStyle, level: str, capfd: pytest.CaptureFixture[str]) -> list[str]:
    """First a line of the access log, then structlog's own of the same."""
    configure_logs(service="gateway", level=level, style=style)
    AccessLog("gateway", style).log(CONTEXT, "POST", "/predict", 200, 0.00123456)
    structlog.get_logger("access").info("request", **FIELDS, trace_id=CONTEXT.trace_id)
    return capfd.readouterr().out.splitlines()


def test_as_json_it_has_the_same_fields(capfd: pytest.CaptureFixture[str]) -> None:
    ours, theirs = (json.loads(line) for line in lines("json", "info", capfd))
    time = "timestamp"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", ours[time])
    assert {**ours, time: ""} == {**theirs, time: ""}


def test_as_text_it_has_the_same_words(capfd: pytest.CaptureFixture[str]) -> None:
    ours, theirs = lines("text", "info", capfd)
    place, colon = re.compile(r"^\S+ "), "] "
    beginning = [place.sub("", line).rpartition(colon)[0] for line in (ours, theirs)]
    words = [sorted(line.rpartition(colon)[2].split()) for line in (ours, theirs)]
    assert beginning[0] == beginning[1]
    assert words[0] == words[1]


def test_it_is_silent_where_requests_are_not_wanted(capfd: pytest.CaptureFixture[str]) -> None:
    assert lines("json", "warning", capfd) == []


@pytest.mark.parametrize(
    ("status", "level", "is_there"), [(200, "info", False), (503, "info", True), (200, "debug", True)]
)
def test_a_probe_is_quiet_while_it_succeeds(
    status: int, level: str, is_there: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logs(service="gateway", level=level, style="json")
    AccessLog("gateway", "json").log(CONTEXT, "GET", "/health/ready", status, 0.001)
    assert bool(capfd.readouterr().out) == is_there


def test_what_would_break_a_line_is_escaped(capfd: pytest.CaptureFixture[str]) -> None:
    configure_logs(service="gateway", level="info", style="json")
    AccessLog("gateway", "json").log(CONTEXT, 'A"\n', "/predict", 405, 0.001)
    assert json.loads(capfd.readouterr().out)["method"] == 'A"\n'
