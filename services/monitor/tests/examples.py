"""Stream entries and manifests as the monitor's tests need them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monitor.batches import StreamEntry

from shared.events.tests.examples import EVENT, event

NOW = EVENT.time.timestamp()
EDGES = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


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
