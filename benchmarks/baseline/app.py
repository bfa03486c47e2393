"""The baseline: one process that does everything, as the project first did and as it is often done.

It decodes the photo whole, resizes, runs the network, and keeps its statistics in lists of its own. Nothing here is
used by the services; it exists to be measured against.
"""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import numpy as np
from fastapi import FastAPI, UploadFile
from nnlib.artifact import load_model
from PIL import Image

MODEL = Path(os.environ.get("MODELS_DIR", "models")) / "catnet-mlp" / "1"


def create_app() -> FastAPI:
    app = FastAPI()
    network = load_model(MODEL).network
    layers = [layer.parameters for layer in network.layers if layer.parameters]
    latencies_ms: list[float] = []
    probabilities: list[float] = []

    @app.post("/predict")
    async def predict(file: UploadFile) -> dict[str, object]:
        started = time.perf_counter()
        photo = Image.open(io.BytesIO(await file.read())).convert("RGB").resize((64, 64))
        activations = np.asarray(photo, dtype=np.float64).reshape(1, -1) / 255
        for parameters in layers[:-1]:
            activations = np.maximum(activations @ parameters["weight"] + parameters["bias"], 0)
        logits = activations @ layers[-1]["weight"] + layers[-1]["bias"]
        probability = float(1 / (1 + np.exp(-logits[0, 0])))
        latencies_ms.append((time.perf_counter() - started) * 1000)
        probabilities.append(probability)
        return {"label": "cat" if probability > 0.5 else "non-cat", "confidence": max(probability, 1 - probability)}

    @app.get("/metrics")
    async def metrics() -> dict[str, object]:
        return {
            "total": len(probabilities),
            "cat_ratio": float(np.mean(np.array(probabilities) > 0.5)) if probabilities else 0.0,
            "p95_ms": float(np.percentile(latencies_ms, 95)) if latencies_ms else 0.0,
        }

    return app
