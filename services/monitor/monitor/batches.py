"""Stream entries as one batch of changes, computed before Redis is asked to make them all or none.

What an entry adds depends on the entry alone (and its model's manifest), never on when or where it is read.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from events.prediction import InvalidEvent, PredictionEvent

from monitor.aggregates import Counts, count_events, count_shadows, latency_edges, total_of
from monitor.counted_prediction import MILLION, NO_PREDICTION, CountedPrediction, hour_made
from monitor.keys import Keys
from monitor.manifests import Manifests, is_model_name, model_id
from monitor.windows import HOUR, MINUTE, SPANS

MAX_ENTRY_CHARACTERS = 16_384
"""An event has about 700."""
MAX_DEAD_CHARACTERS = 4096
"""How much of an entry that cannot be read is kept."""
MAX_AHEAD_SECONDS = 300
"""How far an event's clock may be ahead of its arrival in the stream."""
MAX_DURATION_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """``id`` is "<milliseconds>-<number>"."""

    id: str
    fields: Mapping[str, str]

    @property
    def characters(self) -> int:
        return sum(map(len, self.fields)) + sum(map(len, self.fields.values()))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    entry_id: str
    reason: str
    content: str


@dataclass(slots=True)
class Batch:
    """All that is to change in Redis because of some entries.

    ``counts``: key -> field -> increment. ``expire_at``: key -> epoch seconds. ``remember``: key -> id -> text.
    ``characters``: how much text the entries had.
    """

    entry_ids: list[str] = field(default_factory=list)
    counts: dict[str, Counts] = field(default_factory=dict)
    expire_at: dict[str, int] = field(default_factory=dict)
    remember: dict[str, dict[str, str]] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    last_event_us: int = -1
    characters: int = 0


_ByMinute = defaultdict[tuple[str, str, int], list[PredictionEvent]]
"""Events by the name and version of the model that answered, and by the minute."""


def plan(entries: Sequence[StreamEntry], manifests: Manifests, keys: Keys, known: Set[str] = frozenset()) -> Batch:
    """What the entries change; those that are ``known`` or come twice only count as duplicates.

    An event is known by its prediction id, an entry that is none by its entry id.
    """
    batch = Batch()
    seen = set(known)
    pipeline: Counts = Counter()
    predictions: _ByMinute = defaultdict(list)
    shadows: _ByMinute = defaultdict(list)
    for entry in entries:
        batch.entry_ids.append(entry.id)
        batch.characters += entry.characters
        event = _read(entry)
        if isinstance(event, DeadLetter):
            identity, hour = event.entry_id, int(_arrival_seconds(event.entry_id) // HOUR.seconds)
        else:
            time = event.time.timestamp()
            identity, hour = event.prediction_id, hour_made(event.prediction_id, time)
        if identity in seen:
            pipeline["duplicates"] += 1
            continue
        seen.add(identity)
        text = NO_PREDICTION
        if isinstance(event, DeadLetter):
            pipeline["dead"] += 1
            batch.dead.append(event)
        elif event.shadow_of is not None:
            pipeline["shadow"] += 1
            served = event.shadow_of
            shadows[served.model_name, served.model_version, MINUTE.start_of(time)].append(event)
        else:
            pipeline["consumed"] += 1
            batch.last_event_us = max(batch.last_event_us, round(time * MILLION))
            predictions[event.model_name, event.model_version, MINUTE.start_of(time)].append(event)
            text = CountedPrediction.of(event).to_text()
        batch.remember.setdefault(keys.counted(hour), {})[identity] = text
    totals: defaultdict[str, Counts] = defaultdict(Counter)
    for (name, version, minute), events in predictions.items():
        manifest = manifests.get(name, version)
        counts = count_events(events, manifest)
        totals[manifest.model].update(total_of(counts))
        totals[manifest.model].update(latency_edges(events))
        _add_to_buckets(batch, keys, manifest.model, minute, counts)
    for (name, version, minute), events in shadows.items():
        model = model_id(name, version)
        counts = count_shadows(events)
        totals[model].update(counts)
        _add_to_buckets(batch, keys, model, minute, counts)
    batch.counts |= {keys.total(model): counts for model, counts in totals.items()}
    batch.counts[keys.models] = Counter({m: c["events"] for m, c in totals.items() if c["events"]})
    batch.counts[keys.pipeline] = pipeline  # the last, see apply.lua
    return batch


def _add_to_buckets(batch: Batch, keys: Keys, model: str, minute: int, counts: Counts) -> None:
    for span in SPANS:
        key = keys.bucket(span, model, span.start_of(minute))
        batch.counts.setdefault(key, Counter()).update(counts)
        batch.expire_at[key] = span.expires_at(minute)


def read_event(entry: StreamEntry) -> PredictionEvent:
    """The event of an entry.

    Raises: InvalidEvent if it is none, is far too large, or says what cannot be.
    """
    if entry.characters > MAX_ENTRY_CHARACTERS:
        raise InvalidEvent(f"entry has {entry.characters} characters, more than {MAX_ENTRY_CHARACTERS}")
    event = PredictionEvent.from_fields(entry.fields)
    names = [("model_name", event.model_name), ("model_version", event.model_version)]
    if event.shadow_of is not None:
        served = event.shadow_of
        names += [("served_model_name", served.model_name), ("served_model_version", served.model_version)]
    for name, text in names:
        if not is_model_name(text):
            raise InvalidEvent(f"{name} {text[:20]!r} is not made of up to 64 letters, digits, '.', '_' and '-'")
    longest = max(event.total_seconds, event.decode_seconds, event.forward_seconds)
    if longest > MAX_DURATION_SECONDS:
        raise InvalidEvent(f"a duration of {longest:g} s is longer than {MAX_DURATION_SECONDS:g} s")
    time = event.time.timestamp()
    if time < 0:
        raise InvalidEvent("time is before 1970")
    if time > _arrival_seconds(entry.id) + MAX_AHEAD_SECONDS:
        raise InvalidEvent(f"time is more than {MAX_AHEAD_SECONDS} s after its arrival in the stream")
    return event


def _read(entry: StreamEntry) -> PredictionEvent | DeadLetter:
    try:
        return read_event(entry)
    except InvalidEvent as reason:
        shown = {name[:100]: value[:1000] for name, value in list(entry.fields.items())[:50]}
        return DeadLetter(entry.id, str(reason), json.dumps(shown)[:MAX_DEAD_CHARACTERS])


def _arrival_seconds(entry_id: str) -> float:
    """When an entry arrived in the stream, by the clock of Redis. Units: epoch seconds."""
    return int(entry_id.partition("-")[0]) / 1000
