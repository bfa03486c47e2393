"""Events, stream entries and manifests as the monitor's tests need them."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from events.prediction import PredictionEvent
from monitor.batches import StreamEntry

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
EDGES = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
EVENT = PredictionEvent(
    prediction_id=str(uuid.UUID(int=0)),
    time=datetime.fromtimestamp(NOW, UTC),
    model_name="catnet-mlp",
    model_version="1",
    label="cat",
    cat_probability=0.75,
    certain=True,
    decode_seconds=0.004,
    forward_seconds=0.0002,
    total_seconds=0.006,
    image_format="JPEG",
    image_width=640,
    image_height=480,
    image_bytes=50_000,
    features={"brightness": 0.55},
)


def event(number: int = 0, **changes: Any) -> PredictionEvent:
    """The event whose prediction id is a number."""
    return replace(EVENT, **{"prediction_id": str(uuid.UUID(int=number)), **changes})


def entry(number: int = 0, **changes: Any) -> StreamEntry:
    """The stream entry of that event, which arrives when it is made."""
    made = event(number, **changes)
    return StreamEntry(f"{round(made.time.timestamp() * 1000)}-{number}", made.to_fields())


def manifest_content(**changes: Any) -> dict[str, Any]:
    null = {
        "probabilities": [0.5, 0.9, 0.99, 0.999],
        "window_sizes": [200, 2000],
        "quantiles": [[0.05, 0.08, 0.12, 0.16], [0.01, 0.016, 0.024, 0.032]],
    }
    features = [
        {"name": name, "bin_edges": EDGES, "counts": [100] * 10, "psi_null": null}
        for name in ("cat_probability", "brightness")
    ]
    content = {
        "name": "catnet-mlp",
        "version": "1",
        "confidence": {"bin_edges": [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]},
        "reference": {"images": 1000, "sources": ["drawn"], "features": features},
    }
    return content | changes


def write_manifest(models_dir: Path, name: str = "catnet-mlp", version: str = "1", **changes: Any) -> None:
    folder = models_dir / name / version
    folder.mkdir(parents=True)
    content = manifest_content(**{"name": name, "version": version, **changes})
    (folder / "manifest.json").write_text(json.dumps(content))
