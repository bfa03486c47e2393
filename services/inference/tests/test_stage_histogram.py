"""The histogram of stages says what prometheus_client's own would say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from inference.stage_histogram import BUCKETS_SECONDS, StageHistogram
from prometheus_client import CollectorRegistry, Histogram, generate_latest

NAME = "catnet_inference_stage_duration_seconds"
HELP = "Time that a stage of one prediction took."
STAGES = ("decode", "forward")

seconds = st.sampled_from([0.0, *BUCKETS_SECONDS]) | st.floats(0, 10)


@given(st.lists(st.tuples(st.sampled_from(STAGES), seconds)))
def test_it_shows_what_the_library_s_own_shows(observed: list[tuple[str, float]]) -> None:
    ours = StageHistogram(STAGES)
    theirs = Histogram(NAME, HELP, ["stage"], buckets=BUCKETS_SECONDS, registry=None)
    for stage in STAGES:
        theirs.labels(stage)
    for stage, duration in observed:
        ours.observe(stage, duration)
        theirs.labels(stage).observe(duration)
    assert shown(ours) == shown(theirs)


def shown(collector: StageHistogram | Histogram) -> list[str]:
    registry = CollectorRegistry()
    registry.register(collector)
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if f"{NAME}_created" not in line]  # when it began
