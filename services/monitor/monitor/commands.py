"""``python -m monitor COMMAND``: what an operator does now and then, beside the service, on the same settings."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from servicekit.settings import read_settings

from monitor.aggregates import merge
from monitor.export import FORMATS, ParquetMissing, export
from monitor.manifests import Manifest, Manifests, is_model_name, version_order
from monitor.redis_connection import RedisAway
from monitor.redis_history import RedisHistory
from monitor.reference import TooFewEvents, features_of_traffic
from monitor.replay import CannotReplace, compare, rebuild
from monitor.settings import MonitorSettings
from monitor.windows import WINDOWS, utc

SHOWN_DIFFERENCES = 20


class UnknownModel(Exception):
    """There is no manifest of the model that was named."""


def run(arguments: Sequence[str]) -> int:
    """Returns: the exit status; 0 done, 1 not done or different, and a line says why. argparse exits with 2."""
    options = _parser().parse_args(arguments)
    settings = read_settings(MonitorSettings)
    try:
        return asyncio.run(_with_history(settings, options))
    except RedisAway as error:
        print(f"monitor: Redis does not answer: {error}", file=sys.stderr)
    except (CannotReplace, ParquetMissing, TooFewEvents, UnknownModel) as error:
        print(f"monitor: {error}", file=sys.stderr)
    except OSError as error:
        print(f"monitor: {error.filename}: {error.strerror}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitor", description="Without a command: run the service.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    replaying = commands.add_parser("replay", help="rebuild the aggregates from the stream, in place of the live ones")
    replaying.add_argument("--check", action="store_true", help="only compare them; exit status 1 if they differ")
    replaying.set_defaults(command=_replay)
    exporting = commands.add_parser("export", help="write the events of the stream as a table")
    exporting.add_argument("--format", choices=FORMATS, default="csv")
    exporting.add_argument("--output", type=Path, help="file to write (default: events.csv or events.parquet)")
    exporting.set_defaults(command=_export)
    referring = commands.add_parser("reference", help="what traffic is compared with")
    actions = referring.add_subparsers(required=True, metavar="ACTION")
    for name, command, what in (
        ("adopt", _adopt, "compare with the traffic of a window that ends now"),
        ("revoke", _revoke, "compare with the manifest's reference again"),
        ("show", _show, "say what is compared with, and since when"),
    ):
        action = actions.add_parser(name, help=what)
        action.add_argument("--model", metavar="NAME/VERSION", help="default: the newest version of DEFAULT_MODEL")
        action.set_defaults(command=command)
        if command is _adopt:
            action.add_argument("--window", choices=WINDOWS, default="24h")
    return parser


async def _with_history(settings: MonitorSettings, options: argparse.Namespace) -> int:
    history = RedisHistory(settings.redis_url)
    try:
        status: int = await options.command(history, settings, options)
        return status
    finally:
        await history.close()


async def _replay(history: RedisHistory, settings: MonitorSettings, options: argparse.Namespace) -> int:
    manifests = Manifests(settings.models_dir)
    if not options.check:
        replaced = await rebuild(history, manifests, dedupe_hours=settings.dedupe_hours)
        print(f"replaced: {replaced.events} events in {replaced.keys} hashes")
        return 0
    comparison = await compare(history, manifests)
    if not comparison.is_whole:
        print("the stream no longer holds all that was counted: only the buckets it still holds are compared")
    if not comparison.differences:
        print(f"equal: {comparison.events} events, {comparison.keys} hashes")
        return 0
    print(f"{len(comparison.differences)} fields differ")
    for each in comparison.differences[:SHOWN_DIFFERENCES]:
        print(f"{each.key} {each.field}: live {each.live}, replayed {each.replayed}")
    return 1


async def _export(history: RedisHistory, settings: MonitorSettings, options: argparse.Namespace) -> int:
    path = options.output or Path(f"events.{options.format}")
    rows = await export(history.entries(), path, options.format)
    print(f"{rows} events in {path}")
    return 0


async def _adopt(history: RedisHistory, settings: MonitorSettings, options: argparse.Namespace) -> int:
    manifest = _manifest(settings, options.model)
    now, window = time.time(), WINDOWS[options.window]
    starts = window.buckets(now)
    keys = [history.keys.bucket(window.span, manifest.model, start) for start in starts]
    _, buckets = await history.counts_at_one_moment(keys)
    counts = merge(buckets.values())
    features = features_of_traffic(counts, manifest)
    recorded = {
        "adopted_at": utc(now),
        "window": options.window,
        "start": utc(starts[0]),
        "end": utc(now),
        "events": str(counts["events"]),
    }
    log = json.dumps({"action": "adopt", **recorded})
    await history.adopt_reference(manifest.model, {**recorded, "features": json.dumps(features)}, log)
    print(f"{manifest.model} is compared with {counts['events']} predictions since {utc(starts[0])}")
    return 0


async def _revoke(history: RedisHistory, settings: MonitorSettings, options: argparse.Namespace) -> int:
    manifest = _manifest(settings, options.model)
    revoked = await history.revoke_reference(
        manifest.model, json.dumps({"action": "revoke", "revoked_at": utc(time.time())})
    )
    print(f"{manifest.model} is compared with its manifest's reference" + ("" if revoked else ", as it was"))
    return 0


async def _show(history: RedisHistory, settings: MonitorSettings, options: argparse.Namespace) -> int:
    manifest = _manifest(settings, options.model)
    fields, log = await history.reference(manifest.model)
    features = json.loads(fields.pop("features", "[]"))
    current = {**fields, "features": [feature["name"] for feature in features]} if fields else None
    print(json.dumps({"model": manifest.model, "adopted": current, "log": list(map(json.loads, log))}, indent=1))
    return 0


def _manifest(settings: MonitorSettings, model: str | None) -> Manifest:
    """Raises: UnknownModel."""
    manifests = Manifests(settings.models_dir)
    name, _, version = (model or settings.default_model).partition("/")
    versions = manifests.versions(name) if is_model_name(name) else []
    if not versions or (version and version not in versions):
        raise UnknownModel(f"there is no manifest of {model or settings.default_model}")
    return manifests.get(name, version or max(versions, key=version_order))
