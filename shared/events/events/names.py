"""The names that inference and monitor must agree on: the stream, its consumer group and the publishers' counters."""

STREAM = "predictions"
DEAD_STREAM = "predictions:dead"
CONSUMER_GROUP = "monitor"

STREAM_MAX_LENGTH = 1_000_000
"""Approximate bound of the stream (XADD … MAXLEN ~): what a stopped monitor can still catch up with."""

PUBLISHERS = "catnet:publishers"
"""Sorted set: publisher instance -> epoch seconds at which it last wrote its counters, or a second before."""


def publisher_counters(instance: str) -> str:
    """Key of the hash that holds one publisher's absolute counters (see ``events.accounting``)."""
    return f"catnet:publisher:{instance}"
