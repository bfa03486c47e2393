"""The models in use, and their replacement while requests go on.

A request takes its model once and keeps it to its end, so a reload never changes an answer half-way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import structlog
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from inference.model_registry import ModelRefused, ModelRegistry

_log = structlog.get_logger("models")


class ServedModels:
    """``current`` is what takes traffic; ``load`` makes the next, checked and tried."""

    def __init__(self, load: Callable[[], ModelRegistry], metrics: CollectorRegistry) -> None:
        """Raises: ModelRefused."""
        self.current = load()
        self._load = load
        self._one_at_a_time = asyncio.Lock()
        reloads = Counter("catnet_model_reloads", "Reloads of the models.", ["result"], registry=metrics)
        self._succeeded, self._refused = map(reloads.labels, ("ok", "refused"))
        metrics.register(_ModelInfo(self))

    async def reload(self) -> None:
        """Load the models anew beside those that serve, then let them take over; if any of them is bad, none does.

        Raises: ModelRefused, with nothing changed.
        """
        async with self._one_at_a_time:
            try:
                self.current = await asyncio.to_thread(self._load)
            except ModelRefused as error:
                self._refused.inc()
                _log.error("models refused, those loaded before keep serving", reason=str(error))
                raise
            except Exception as error:  # whatever a stranger's files do, the models that serve go on
                self._refused.inc()
                _log.exception("models cannot be loaded, those loaded before keep serving")
                raise ModelRefused("the models cannot be loaded; the log says why") from error
            self._succeeded.inc()
            _log.info("models loaded", models=[f"{m.manifest.name}/{m.manifest.version}" for m in self.current])


class _ModelInfo(Collector):
    """Reads the models when it is scraped, so that it is right after a reload too."""

    def __init__(self, models: ServedModels) -> None:
        self._models = models

    def collect(self) -> Iterable[Metric]:
        info = GaugeMetricFamily(
            "catnet_model_info", "Always 1; a model that is served.", labels=["name", "version", "sha256"]
        )
        for model in self._models.current:
            info.add_metric([model.manifest.name, model.manifest.version, model.manifest.sha256], 1)
        yield info
