"""Rebuild the aggregates from the stream, with the code that counts live, and compare them with the live ones.

What was counted is the stream up to where the group stands, without the entries that are pending. Both are read in one
step with the aggregates, so a comparison is exact while events flow.

A stream that was trimmed no longer holds all that was counted. Buckets that begin after its first entry (events may be
``MAX_AHEAD_SECONDS`` ahead of their arrival) can still be compared; totals cannot, and nothing is replaced.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.aggregates import Counts, feedback_counts
from monitor.batches import MAX_AHEAD_SECONDS, StreamEntry, plan
from monitor.counted_prediction import CountedPrediction
from monitor.keys import Keys
from monitor.manifests import Manifests
from monitor.redis_history import Position, RedisHistory
from monitor.windows import HOUR

ATTEMPTS = 100
_COUNTED = ("consumed", "shadow", "dead")
"""Of the pipeline's counters, those that the stream alone decides. ``duplicates`` also grows when a group that vanished
makes the monitor read entries again, and ``lost`` is about entries that the stream no longer has."""


@dataclass(frozen=True, slots=True)
class Difference:
    key: str
    field: str
    live: int
    replayed: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """``is_whole``: the stream holds all that was counted. ``keys``: hashes compared; ``events``: replayed."""

    differences: Sequence[Difference]
    keys: int
    events: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Replaced:
    events: int
    keys: int


class CannotReplace(Exception):
    """The live aggregates stay; the message says why."""


class Replay:
    """Aggregates in memory that follow the stream: what apply.lua and feedback.lua do, without Redis."""

    def __init__(self, history: RedisHistory, manifests: Manifests) -> None:
        self._history = history
        self._keys = history.keys
        self._manifests = manifests
        self._skipped: frozenset[str] = frozenset()
        self._delivered = "-"
        self._feedback = "-"
        self._seen: set[str] = set()
        self._places: dict[str, str] = {}
        self._expire_at: dict[str, int] = {}
        self.first_entry_id: str | None = None
        self.counts: defaultdict[str, Counts] = defaultdict(Counter)
        self.counted: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._changed: set[str] = set()
        self._newly_counted: defaultdict[str, dict[str, str]] = defaultdict(dict)

    async def advance(self, position: Position) -> None:
        """Count what has been counted live up to a position, and was not at the last one."""
        settled = sorted(self._skipped - position.pending)
        self._apply(await self._history.these(settled))
        if position.delivered != "0-0":
            async for entries in self._history.entries(after=self._delivered, to=position.delivered):
                self.first_entry_id = self.first_entry_id or entries[0].id
                self._apply([entry for entry in entries if entry.id not in position.pending])
            self._delivered = position.delivered
        self._skipped = position.pending
        async for entries in self._history.entries(self._keys.feedback_log, after=self._feedback, to=position.feedback):
            self._tell(entries)
        self._feedback = position.feedback

    def expire_at(self, key: str) -> int | None:
        return self._expire_at.get(key)

    def take_changes(self) -> tuple[set[str], dict[str, dict[str, str]]]:
        """Keys of counts, and what is remembered where, that have changed since this was last called."""
        changes = self._changed, dict(self._newly_counted)
        self._changed, self._newly_counted = set(), defaultdict(dict)
        return changes

    def _apply(self, entries: Sequence[StreamEntry]) -> None:
        batch = plan(entries, self._manifests, self._keys)
        known = self._seen.intersection(identity for texts in batch.remember.values() for identity in texts)
        if known:
            batch = plan(entries, self._manifests, self._keys, known)
        for key, counts in batch.counts.items():
            self.counts[key].update(counts)
        self._changed.update(batch.counts)
        self._expire_at.update(batch.expire_at)
        for key, texts in batch.remember.items():
            self._seen.update(texts)
            self._places.update(dict.fromkeys(texts, key))
            self.counted[key].update(texts)
            self._newly_counted[key].update(texts)
        if batch.last_event_us >= 0:
            pipeline = self.counts[self._keys.pipeline]
            pipeline["last_event_us"] = max(pipeline["last_event_us"], batch.last_event_us)

    def _tell(self, entries: Iterable[StreamEntry]) -> None:
        for entry in entries:
            prediction_id = entry.fields["prediction_id"]
            place = self._places.get(prediction_id)
            if place is None:
                continue  # its prediction has been trimmed from the stream
            known = CountedPrediction.from_text(self.counted[place][prediction_id])
            told = known.told("cat" if entry.fields["label"] == "cat" else "non-cat")
            name, _, version = known.model.partition("/")
            changes = feedback_counts(known, told.truth or known.label, self._manifests.get(name, version))
            for key in self._keys.counts(known):
                self.counts[key].update(changes)
                self._changed.add(key)
            self.counted[place][prediction_id] = self._newly_counted[place][prediction_id] = told.to_text()


async def compare(history: RedisHistory, manifests: Manifests) -> Comparison:
    """The live aggregates beside the replayed ones.

    Raises: RedisAway.
    """
    replay = Replay(history, manifests)
    keys = await history.count_keys()
    live: Mapping[str, Mapping[str, int]] = {}
    for _ in range(ATTEMPTS):
        position, live = await history.counts_at_one_moment(sorted(keys))
        if position:
            await replay.advance(position)
        if not (missed := set(replay.counts) - keys):
            break
        keys |= missed  # made since the keys were listed
    now = time.time()
    is_whole = _is_whole(replay, live, history.keys)
    compared = sorted(
        key
        for key in {*live, *replay.counts}
        if key != history.keys.pipeline and _is_kept(replay, key, now) and (is_whole or _is_after_trim(replay, key))
    )
    differences = _differences(compared, live, replay.counts)
    if is_whole:
        differences += [
            each for each in _differences([history.keys.pipeline], live, replay.counts) if each.field in _COUNTED
        ]
    events = replay.counts[history.keys.pipeline]["consumed"]
    return Comparison(differences, len(compared), events, is_whole)


async def rebuild(history: RedisHistory, manifests: Manifests, *, dedupe_hours: int) -> Replaced:
    """Replace the live aggregates by replayed ones, at one moment, while monitors may go on.

    Raises: CannotReplace, RedisAway.
    """
    replay = Replay(history, manifests)
    beside = Keys(f"{history.keys.namespace}-replay")
    await history.forget_beside(beside)
    expire_at: dict[str, int | None] = {}
    obsolete = await history.count_keys()
    for _ in range(ATTEMPTS):  # each time there is less to catch up with, until nothing is counted in between
        position, live = await history.counts_at_one_moment([history.keys.pipeline])
        if position is None:
            raise CannotReplace("there is no consumer group: a monitor that starts now counts the whole stream itself")
        await replay.advance(position)
        if not _is_whole(replay, live, history.keys):
            raise CannotReplace("the stream no longer holds all that was counted: replaying it would forget the rest")
        now = time.time()
        pipeline = live.get(history.keys.pipeline, {})
        replay.counts[history.keys.pipeline]["lost"] = pipeline.get("lost", 0)
        changed, counted = replay.take_changes()
        changed = {key for key in changed if _is_kept(replay, key, now)} | {history.keys.pipeline}
        oldest = int(now // HOUR.seconds) - dedupe_hours
        counted = {key: texts for key, texts in counted.items() if int(key.rpartition(":")[2]) >= oldest}
        await history.write_beside({key: replay.counts[key] for key in changed}, beside)
        await history.write_beside(counted, beside)
        expire_at |= {key: replay.expire_at(key) for key in changed}
        expire_at |= dict.fromkeys(counted, int(now) + dedupe_hours * 3600)
        obsolete -= set(expire_at)
        if await history.take_from_beside(
            expire_at, sorted(obsolete), beside=beside, counted=pipeline, feedback=position.feedback
        ):
            return Replaced(replay.counts[history.keys.pipeline]["consumed"], len(expire_at))
    raise CannotReplace("events arrive faster than they are replayed: try again when there are fewer")


def _is_whole(replay: Replay, live: Mapping[str, Mapping[str, int]], keys: Keys) -> bool:
    counted = live.get(keys.pipeline, {})
    return sum(counted.get(name, 0) for name in _COUNTED) <= sum(replay.counts[keys.pipeline][n] for n in _COUNTED)


def _is_kept(replay: Replay, key: str, now: float) -> bool:
    """Whether a hash has not expired; those that Redis alone knows have not."""
    return (replay.expire_at(key) or now + 1) > now


def _is_after_trim(replay: Replay, key: str) -> bool:
    begins = int((replay.first_entry_id or "0").partition("-")[0]) / 1000 + MAX_AHEAD_SECONDS
    start = key.rpartition(":")[2]
    return start.isdigit() and int(start) >= begins


def _differences(
    keys: Iterable[str], live: Mapping[str, Mapping[str, int]], replayed: Mapping[str, Mapping[str, int]]
) -> list[Difference]:
    pairs = [(key, live.get(key, {}), replayed.get(key, {})) for key in keys]
    return [
        Difference(key, field, one.get(field, 0), other.get(field, 0))
        for key, one, other in pairs
        for field in sorted({*one, *other})
        if one.get(field, 0) != other.get(field, 0)
    ]
