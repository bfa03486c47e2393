"""``python -m monitor COMMAND``: what an operator does now and then, beside the service, on the same settings."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from servicekit.settings import read_settings

from monitor.export import FORMATS, ParquetMissing, export
from monitor.manifests import Manifests
from monitor.redis_connection import RedisAway
from monitor.redis_history import RedisHistory
from monitor.replay import CannotReplace, compare, rebuild
from monitor.settings import MonitorSettings

SHOWN_DIFFERENCES = 20


def run(arguments: Sequence[str]) -> int:
    """Returns: the exit status; 0 done, 1 not done or different, and a line says why. argparse exits with 2."""
    options = _parser().parse_args(arguments)
    settings = read_settings(MonitorSettings)
    try:
        return asyncio.run(_with_history(settings, options))
    except RedisAway as error:
        print(f"monitor: Redis does not answer: {error}", file=sys.stderr)
    except (CannotReplace, ParquetMissing) as error:
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
