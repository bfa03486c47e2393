"""Windows are whole buckets up to now, and never shorter than their name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor.windows import SPANS, WINDOWS, Window, utc

windows = st.sampled_from(list(WINDOWS.values()))
times = st.floats(1_000_000, 4_000_000_000)


@given(windows, times)
def test_a_window_holds_all_that_happened_within_its_length_up_to_now(window: Window, now: float) -> None:
    buckets = window.buckets(now)
    assert buckets[0] <= now - window.seconds < buckets[0] + window.span.seconds
    assert buckets[-1] <= now < buckets[-1] + window.span.seconds
    assert len(buckets) == window.seconds // window.span.seconds + 1


@given(windows, times)
def test_the_previous_window_ends_where_this_one_begins_and_is_as_long(window: Window, now: float) -> None:
    previous = window.previous_buckets(now)
    assert previous[-1] + window.span.seconds == window.buckets(now)[0]
    assert len(previous) * window.span.seconds == window.seconds


@given(windows, times)
def test_buckets_are_kept_for_as_long_as_a_window_before_the_last_needs_them(window: Window, now: float) -> None:
    oldest = window.previous_buckets(now)[0]
    assert oldest + window.span.seconds + window.span.kept_seconds > now


@given(times)
def test_a_time_is_in_the_bucket_that_starts_before_it(time: float) -> None:
    for span in SPANS:
        assert span.start_of(time) <= time < span.start_of(time) + span.seconds
        assert span.start_of(time) % span.seconds == 0


def test_buckets_on_the_minute() -> None:
    assert list(WINDOWS["15m"].buckets(1000 * 60)) == [minute * 60 for minute in range(985, 1001)]


@pytest.mark.parametrize(
    ("time", "text"), [(0, "1970-01-01T00:00:00Z"), (1_800_000_000.25, "2027-01-15T08:00:00.250Z")]
)
def test_times_are_written_as_rfc_3339(time: float, text: str) -> None:
    assert utc(time) == text
