"""The examination of the drift detector: how often it alarms at nothing, and how soon at something.

False alarms: the held-back pictures are the world. A reference is drawn from it (so its own noise is in the result),
bins and thresholds are made of it, and windows are drawn from the same world; whatever alarms is a false alarm.

Delay: a stream of undrifted predictions turns into drifted ones; the last 200 predictions are judged as they come in,
with the 200 before them. The delay is the number of drifted predictions until the first alarm.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from monitor.manifests import version_order
from monitor.settings import MonitorSettings
from redis_server import ROOT

from benchmarks.corruptions import SEVERITIES
from benchmarks.drift_detectors import DETECTORS, THIS_WINDOW, TWO_IN_A_ROW, WINDOW_SIZES, Detectors
from benchmarks.drift_features import Table, Tables, feature_tables
from benchmarks.evidently_rival import EvidentlyMissing, verdicts
from training.datasets import default_folder

RESULTS = ROOT / "benchmarks" / "results-drift.md"
REFERENCE_SIZE = 2446
"""As many as the shipped reference has."""
WINDOW = 200
STEP = 20
HORIZON = 600
EVIDENTLY_STEP = 100

Delays = dict[tuple[str, int], dict[str, list[int | None]]]
"""Of each stream, by what happened, its severity, and the detector; None: not found."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is drawn: more makes the figures surer."""

    references: int = 150
    windows: int = 40
    streams: int = 15
    samples: int = 1500
    evidently_windows: int = 40


def default_model_folder() -> Path:
    """The newest version of the model that the monitor reports on."""
    folder = ROOT / "models" / MonitorSettings().default_model
    return max((each for each in folder.iterdir() if each.is_dir()), key=lambda each: version_order(each.name))


def write_drift_results(effort: Effort) -> bool:
    """Examine the default model's detector and write what was seen. Returns: False if the pictures are not here."""
    data = default_folder()
    if not (data / "cats64").is_dir():
        print("The drift detector is not examined: its pictures are not here (DATA= names the data folder).")
        return False
    results = (
        "# The drift detector's examination\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}."
        f" [How it is measured](README.md).\n\n{measure_drift(data, default_model_folder(), effort)}"
    )
    RESULTS.write_text(results)
    print(results)
    return True


def measure_drift(data: Path, model_folder: Path, effort: Effort) -> str:
    """Run the examination. Returns: the results as Markdown."""
    tables = feature_tables(data, model_folder, samples=effort.samples)
    rng = np.random.default_rng(1)
    rates = _false_alarm_rates(tables.usual, effort, rng)
    delays = _delays(tables, effort, rng)
    try:
        evidently_rates, evidently_delays = _ask_evidently(tables, effort, rng)
        note = ""
    except EvidentlyMissing as reason:
        evidently_rates, evidently_delays, note = {}, {}, f"Evidently is not in the tables: {reason}.\n\n"
    windows = effort.references * effort.windows
    return (
        f"Model {model_folder.parent.name}/{model_folder.name}; {len(tables.usual)} held-back pictures,"
        f" {tables.dog_share:.0%} of them dogs.\n\n"
        f"### False alarms on undrifted windows\n\n{_rates_table(rates, evidently_rates)}\n\n"
        f"{windows} windows a size ({effort.references} references, {effort.windows} windows each); for Evidently"
        f" {effort.evidently_windows}.\n\n{note}"
        f"### Predictions until the first alarm\n\n{_delays_table(delays, evidently_delays)}\n\n"
        f"{_slowest(delays)}\n\n"
        f"Median of {effort.streams} streams, window of {WINDOW}, judged every {STEP} predictions (Evidently: one"
        f" stream, every {EVIDENTLY_STEP}); a dash: not within {HORIZON} in most streams. A rule that alarms at"
        " nothing is soon at everything.\n"
    )


def _false_alarm_rates(usual: Table, effort: Effort, rng: np.random.Generator) -> dict[int, dict[str, float]]:
    """By window size and detector. A reference, whose bootstrap takes longest, serves for windows of every size."""
    alarms = {size: dict.fromkeys(DETECTORS, 0) for size in WINDOW_SIZES}
    for _ in range(effort.references):
        asked = Detectors(_draw(usual, REFERENCE_SIZE, rng))
        for size, by_name in alarms.items():
            before = _draw(usual, size, rng)
            for _ in range(effort.windows):
                window = _draw(usual, size, rng)
                for name in asked.alarming(window, before):
                    by_name[name] += 1
                before = window
    windows = effort.references * effort.windows
    return {size: {name: count / windows for name, count in by_name.items()} for size, by_name in alarms.items()}


def _delays(tables: Tables, effort: Effort, rng: np.random.Generator) -> Delays:
    """By what happened and detector, one of each stream. Stream number i of all of them is judged with reference i."""
    delays: Delays = {key: {name: [] for name in DETECTORS} for key in tables.drifted}
    for _ in range(effort.streams):
        asked = Detectors(_draw(tables.usual, REFERENCE_SIZE, rng))
        for key, drifted in tables.drifted.items():
            found = _found(asked, _stream(tables.usual, drifted, rng))
            for name in DETECTORS:
                delays[key][name].append(found.get(name))
    return delays


def _found(asked: Detectors, stream: Table) -> dict[str, int]:
    """After how many drifted predictions each detector alarms, of those that do within HORIZON."""
    found: dict[str, int] = {}
    for seen in range(STEP, HORIZON + 1, STEP):
        end = 2 * WINDOW + seen
        window, before = stream[end - WINDOW : end], stream[end - 2 * WINDOW : end - WINDOW]
        waiting = [name for name in DETECTORS if name not in found]
        found |= dict.fromkeys(asked.alarming(window, before, waiting), seen)
        if len(found) == len(DETECTORS):
            break
    return found


def _ask_evidently(
    tables: Tables, effort: Effort, rng: np.random.Generator
) -> tuple[dict[int, tuple[float, float]], dict[tuple[str, int], int | None]]:
    """Its rates by window size (any column, the whole), and its delay by what happened."""
    reference = _draw(tables.usual, REFERENCE_SIZE, rng)
    rates = {}
    for size in WINDOW_SIZES:
        windows = {str(number): _draw(tables.usual, size, rng) for number in range(effort.evidently_windows)}
        said = verdicts(reference, windows).values()
        rates[size] = (
            sum(each.columns > 0 for each in said) / len(said),
            sum(each.is_drift for each in said) / len(said),
        )
    streams = {key: _stream(tables.usual, table, rng) for key, table in tables.drifted.items()}
    moments = range(EVIDENTLY_STEP, HORIZON + 1, EVIDENTLY_STEP)
    windows = {
        f"{name}:{severity}:{seen}": stream[WINDOW + seen : 2 * WINDOW + seen]
        for (name, severity), stream in streams.items()
        for seen in moments
    }
    said_of = verdicts(reference, windows)
    delays = {
        (name, severity): next((s for s in moments if said_of[f"{name}:{severity}:{s}"].is_drift), None)
        for name, severity in streams
    }
    return rates, delays


def _stream(usual: Table, drifted: Table, rng: np.random.Generator) -> Table:
    return np.concatenate([_draw(usual, 2 * WINDOW, rng), _draw(drifted, HORIZON, rng)])


def _draw(table: Table, count: int, rng: np.random.Generator) -> Table:
    drawn: Table = table[rng.integers(0, len(table), count)]
    return drawn


def _rates_table(rates: Mapping[int, Mapping[str, float]], evidently: Mapping[int, tuple[float, float]]) -> str:
    names = [*DETECTORS, "Evidently, any column", "Evidently, the data"]
    lines = [f"| window | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for size, by_name in rates.items():
        cells = [f"{by_name[name]:.2%}" for name in DETECTORS]
        cells += [f"{rate:.0%}" for rate in evidently[size]] if size in evidently else ["", ""]
        lines.append(f"| {size} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _delays_table(
    delays: Delays,
    evidently: Mapping[tuple[str, int], int | None],
) -> str:
    names = [*DETECTORS, "Evidently, the data"]
    lines = [f"| what happened | severity | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    for (what, severity), by_name in delays.items():
        cells = [_median(by_name[name]) for name in DETECTORS]
        cells.append(str(evidently[what, severity] or "-") if evidently else "")
        lines.append(f"| {what} | {severity} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _median(delays: Sequence[int | None]) -> str:
    median = statistics.median(HORIZON * 10 if delay is None else delay for delay in delays)
    return "-" if median > HORIZON else f"{median:.0f}"


def _slowest(delays: Delays) -> str:
    """What was found last of what nobody misses, in the slowest of all streams."""
    sentences = []
    for name in (THIS_WINDOW, TWO_IN_A_ROW):
        slowest = {
            what: max(HORIZON + 1 if delay is None else delay for delay in by_name[name])
            for (what, severity), by_name in delays.items()
            if severity == SEVERITIES[-1]
        }
        what = max(slowest, key=lambda each: slowest[each])
        found = f"not within {HORIZON}" if slowest[what] > HORIZON else f"within {slowest[what]} predictions"
        sentences.append(f"{name}: {found} in the slowest stream ({what}).")
    return f"Severity {SEVERITIES[-1]}, by {' By '.join(sentences)}"


if __name__ == "__main__":
    sys.exit(not write_drift_results(Effort()))
