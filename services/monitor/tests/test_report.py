"""The report has every field whatever there is to report, and never a number that is none."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from monitor.accounting import Accounts
from monitor.aggregates import version_of
from monitor.batches import StreamEntry, plan
from monitor.keys import Keys
from monitor.manifests import Manifests
from monitor.report import BadQuery, Reports, find_window
from monitor.windows import WINDOWS

from services.monitor.tests.examples import NOW, entry

pytestmark = pytest.mark.anyio


class Store:
    """What ``RedisStream`` answers, from entries applied in memory."""

    def __init__(self, manifests: Manifests, entries: Sequence[StreamEntry] = ()) -> None:
        self.keys = Keys()
        self.batch = plan(entries, manifests, self.keys)
        self.entries = entries

    async def counts(self, keys: Sequence[str]) -> list[dict[str, int]]:
        return [dict(self.batch.counts.get(key, Counter())) for key in keys]

    async def versions(self, keys: Sequence[str]) -> list[str]:
        buckets = await self.counts(keys)
        return [version_of(bucket) for bucket in buckets]

    async def accounts(self) -> Accounts:
        pipeline = dict(self.batch.counts[self.keys.pipeline])
        if self.entries:
            pipeline["last_event_us"] = self.batch.last_event_us
        return Accounts(0, True, 0, None, pipeline, [])

    async def reference_adopted_at(self, model: str) -> str | None:
        return None

    async def counted(self, places: Sequence[tuple[str, str]]) -> list[str | None]:
        return [self.batch.remember.get(key, {}).get(prediction_id) for key, prediction_id in places]

    async def newest(self, count: int) -> list[StreamEntry]:
        return list(reversed(self.entries))[:count]


def reports(manifests: Manifests, entries: Sequence[StreamEntry] = ()) -> Reports:
    return Reports(
        Store(manifests, entries),  # type: ignore[arg-type]
        manifests,
        default_model="catnet-mlp",
        clock=lambda: NOW + 5,
    )


async def build(some: Reports, window: str = "1h") -> dict[str, Any]:
    report = await some.build(WINDOWS[window], await some.manifest(None))
    json.dumps(report, allow_nan=False)
    return report


@pytest.mark.parametrize("window", WINDOWS)
async def test_an_empty_window_gives_zeros_and_nulls(manifests: Manifests, window: str) -> None:
    report = await build(reports(manifests), window)
    assert report["predictions"] == {
        "total": 0,
        "cat": 0,
        "non_cat": 0,
        "uncertain": 0,
        "cat_ratio": None,
        "per_second": 0.0,
    }
    assert report["latency_ms"] == {
        "count": 0,
        "avg": None,
        "p50": None,
        "p95": None,
        "p99": None,
        "max": None,
        "relative_error": 0.01,
        "stages": {"decode": {"p50": None}, "forward": {"p50": None}},
    }
    assert report["confidence"] == {
        "bin_edges": [0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
        "counts": [0] * 5,
        "by_label": {"cat": [0] * 5, "non-cat": [0] * 5},
        "mean": None,
    }
    assert report["drift"]["status"] == "insufficient_data"
    assert report["drift"].pop("reference")["source"] == "manifest"
    assert report["drift"] | {"features": []} == {
        "status": "insufficient_data",
        "window_size": 0,
        "minimum": 200,
        "false_alarm_rate": 0.01,
        "features": [],
    }
    assert [(feature["name"], feature["psi"]) for feature in report["drift"]["features"]] == [
        ("cat_probability", None),
        ("brightness", None),
    ]
    assert report["quality"] == {
        "estimated_accuracy": {"value": None, "low": None, "high": None, "reliable": None},
        "feedback": {
            "count": 0,
            "accuracy": None,
            "low": None,
            "high": None,
            "confusion": {"cat": {"cat": 0, "non-cat": 0}, "non-cat": {"cat": 0, "non-cat": 0}},
            "calibration_error": None,
            "calibration": [{"count": 0, "confidence": None, "accuracy": None, "low": None, "high": None}] * 5,
        },
    }
    assert report["shadow"] is None
    assert report["pipeline"]["last_event_age_seconds"] is None
    assert report["recent"] == []
    assert {point["total"] for point in report["series"]} == {0}


@pytest.mark.parametrize(("window", "points"), [("15m", 16), ("1h", 61), ("24h", 25), ("7d", 169)])
async def test_the_series_covers_the_window_without_gaps(manifests: Manifests, window: str, points: int) -> None:
    report = await build(reports(manifests), window)
    assert len(report["series"]) == points
    assert report["series"][0]["time"] == report["window"]["start"]
    assert report["window"]["end"] == "2027-01-15T08:00:05Z"
    assert report["window"] | {"start": "", "end": ""} == {
        "name": window,
        "seconds": WINDOWS[window].seconds,
        "start": "",
        "end": "",
    }


async def test_one_prediction_shows_everywhere(manifests: Manifests) -> None:
    report = await build(reports(manifests, [entry(1)]))
    assert report["predictions"]["total"] == report["predictions"]["cat"] == 1
    assert report["predictions"]["cat_ratio"] == 1
    assert report["predictions"]["per_second"] == pytest.approx(1 / 3605)
    assert report["confidence"]["by_label"] == {"cat": report["confidence"]["counts"], "non-cat": [0] * 5}
    assert report["latency_ms"]["avg"] == 6.0
    assert report["latency_ms"]["p50"] == report["latency_ms"]["max"] == pytest.approx(6.0, rel=0.01)
    assert report["series"][-1] | {"p50_ms": 0, "p95_ms": 0} == {
        "time": "2027-01-15T08:00:00Z",
        "total": 1,
        "cat": 1,
        "p50_ms": 0,
        "p95_ms": 0,
    }
    assert report["recent"] == [
        {
            "prediction_id": "00000000-0000-0000-0000-000000000001",
            "time": "2027-01-15T08:00:00Z",
            "label": "cat",
            "confidence": 0.75,
            "certain": True,
            "latency_ms": 6.0,
            "model": "catnet-mlp/1",
            "feedback": None,
        }
    ]
    assert report["pipeline"]["last_event_age_seconds"] == 5.0


async def test_recent_shows_the_last_twenty_of_this_model_each_once_newest_first(manifests: Manifests) -> None:
    entries = [entry(n) for n in range(30)]
    broken = StreamEntry("1-0", {"hello": "world"})
    other = entry(99, model_version="0")
    report = await build(reports(manifests, [*entries, entries[29], broken, other]))
    assert [each["prediction_id"][-2:] for each in report["recent"]] == [f"{n:02x}" for n in range(29, 9, -1)]


async def test_enough_events_have_a_verdict(manifests: Manifests) -> None:
    entries = [entry(n, cat_probability=n % 10 / 10 + 0.05, features={"brightness": 0.95}) for n in range(1, 301)]
    report = await build(reports(manifests, entries))
    features = {feature["name"]: feature for feature in report["drift"]["features"]}
    assert features["cat_probability"]["status"] == "ok"
    assert features["brightness"]["status"] == report["drift"]["status"] == "warning"
    assert features["brightness"]["psi"] > features["brightness"]["threshold"]
    assert features["brightness"]["current"] == [0] * 9 + [300]
    assert features["brightness"]["p_value"] < 0.001
    assert report["drift"]["window_size"] == 300
    assert features["brightness"]["sentence"] == "photos are much brighter than in the reference"
    assert features["brightness"]["shift"] == pytest.approx(0.9)
    assert features["cat_probability"]["sentence"] == "as in the reference, within chance"
    assert report["quality"]["estimated_accuracy"]["reliable"] is False


@pytest.mark.parametrize("window", ["", "2h", "1H", "60", "nan", "1h\n", "9" * 1000])
def test_other_windows_are_refused(window: str) -> None:
    with pytest.raises(BadQuery):
        find_window(window)


@pytest.mark.parametrize(
    "model", ["", "/", "a/", "/1", "../..", "catnet-mlp/1/2", "stranger", "catnet-mlp/7", "x" * 99]
)
async def test_models_that_nobody_knows_are_refused(manifests: Manifests, model: str) -> None:
    with pytest.raises(BadQuery):
        await reports(manifests).manifest(model)


async def test_the_default_model_is_reported_on_before_there_is_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    report = await build(reports(Manifests(tmp_path_factory.mktemp("no_models"))))
    assert report["model"] == {"name": "catnet-mlp", "version": "1"}


async def test_a_model_without_a_manifest_is_known_by_its_events(manifests: Manifests) -> None:
    some = reports(manifests, [entry(1, model_name="stranger", model_version="5")])
    assert (await some.manifest("stranger")).model == "stranger/5"
