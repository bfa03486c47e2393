"""The events of the stream as a table, for analysis elsewhere: one row an event, one column a field."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from events.prediction import InvalidEvent, PredictionEvent

from monitor.batches import StreamEntry, read_event

FORMATS = ("csv", "parquet")
FEATURES = ("brightness", "contrast", "saturation", "colour_balance", "sharpness", "hidden_norm")
COLUMNS = {
    "prediction_id": str,
    "time": str,
    "model_name": str,
    "model_version": str,
    "label": str,
    "cat_probability": float,
    "confidence": float,
    "certain": bool,
    "decode_seconds": float,
    "forward_seconds": float,
    "total_seconds": float,
    "image_format": str,
    "image_width": int,
    "image_height": int,
    "image_bytes": int,
    **dict.fromkeys((f"feature_{name}" for name in FEATURES), float),
    "request_id": str,
    "traceparent": str,
    "shadow_of": str,
}
"""Column -> type of its values; "" and empty cells stand for what an event does not have."""


class ParquetMissing(Exception):
    """The package that writes Parquet is not installed."""


async def export(pieces: AsyncIterator[list[StreamEntry]], path: Path, table_format: str) -> int:
    """Write the events, each once, in the stream's order; entries that are none are left out.

    Returns: the number of rows.
    Raises: ParquetMissing, OSError.
    """
    write = _write_csv if table_format == "csv" else _write_parquet
    return await write(_rows(pieces), path)


async def _rows(pieces: AsyncIterator[list[StreamEntry]]) -> AsyncIterator[list[dict[str, Any]]]:
    seen: set[str] = set()
    async for entries in pieces:
        rows = []
        for entry in entries:
            try:
                event = read_event(entry)
            except InvalidEvent:
                continue
            if event.prediction_id not in seen:
                seen.add(event.prediction_id)
                rows.append(_row(event))
        yield rows


def _row(event: PredictionEvent) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(event, name, None) for name in COLUMNS}
    row |= {f"feature_{name}": event.features.get(name) for name in FEATURES}
    row["time"] = event.time.isoformat(timespec="microseconds").replace("+00:00", "Z")
    row["shadow_of"] = event.shadow_of.prediction_id if event.shadow_of else ""
    return row


async def _write_csv(pieces: AsyncIterator[list[dict[str, Any]]], path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(COLUMNS))
        writer.writeheader()
        async for rows in pieces:
            writer.writerows({**row, "certain": "true" if row["certain"] else "false"} for row in rows)
            count += len(rows)
    return count


async def _write_parquet(pieces: AsyncIterator[list[dict[str, Any]]], path: Path) -> int:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise ParquetMissing("parquet needs the package pyarrow: pip install 'catnet-monitor[parquet]'") from None
    types = {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_()}
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    count = 0
    with parquet.ParquetWriter(path, schema) as writer:
        async for rows in pieces:
            if rows:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                count += len(rows)
    return count
