"""A caller's trace is continued; a broken one is replaced, never passed on."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servicekit.request_context import RequestContext, begin_request, request_context


def begin(**headers: str) -> RequestContext:
    scope = {"headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]}
    context = begin_request(scope)
    assert request_context(scope) is context
    return context


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_the_trace_is_continued_with_a_span_of_our_own() -> None:
    traceparent = begin(traceparent=f"00-{TRACE}-00f067aa0ba902b7-01").traceparent
    assert traceparent.startswith(f"00-{TRACE}-")
    assert traceparent.endswith("-01")
    assert "00f067aa0ba902b7" not in traceparent


@pytest.mark.parametrize(
    ("version", "rest", "flags"),
    [
        ("00", "01", "01"),
        ("00", "00", "00"),
        ("00", "ff", "01"),
        ("00", "02", "00"),
        ("01", "01", "01"),
        ("cc", "ff-what", "01"),
        ("cc", "fe-", "00"),
    ],
)
def test_what_is_passed_on_is_of_version_00_and_of_its_flag_alone(version: str, rest: str, flags: str) -> None:
    traceparent = begin(traceparent=f"{version}-{TRACE}-00f067aa0ba902b7-{rest}").traceparent
    assert re.fullmatch(f"00-{TRACE}-[0-9a-f]{{16}}-{flags}", traceparent)


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "00",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-00f067aa0ba902b7-01-extra",
        f"00-{TRACE}-00f067aa0ba902b7-01-",
        f"cc-{TRACE}-00f067aa0ba902b7-01what",
    ],
)
def test_a_broken_traceparent_starts_a_new_trace(broken: str) -> None:
    context = begin(traceparent=broken)
    assert context.trace_id not in (TRACE, "0" * 32)
    assert len(context.traceparent) == 55


@given(st.text(st.characters(max_codepoint=255), max_size=80))
def test_no_header_value_breaks_a_request(value: str) -> None:
    context = begin(**{"x-request-id": value, "traceparent": value})
    assert 1 <= len(context.request_id) <= 128
    assert len(context.traceparent) == 55
