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
from inference.workers import Workers

LONGEST_RELOAD_SECONDS = 60.0
"""A file system that hangs (a network's, say) would keep every later reload waiting."""

_log = structlog.get_logger("models")


class ServedModels:
    """``current`` is what takes traffic; ``load`` makes the next, checked and tried."""

    def __init__(self, load: Callable[[], ModelRegistry], metrics: CollectorRegistry) -> None:
        """Raises: ModelRefused."""
        self.current = load()
        self._load = load
        self._loader = Workers(threads=1, max_requests=1)
        reloads = Counter("catnet_model_reloads", "Reloads of the models.", ["result"], registry=metrics)
        self._succeeded, self._refused = map(reloads.labels, ("ok", "refused"))
        metrics.register(_ModelInfo(self))

    async def reload(self) -> None:
        """Load the models anew beside those that serve, then let them take over; if any of them is bad, none does.

        One at a time is loaded. Raises: ModelRefused, with nothing changed.
        """
        try:
            async with asyncio.timeout(LONGEST_RELOAD_SECONDS):
                self.current = await self._loader.run(self._load)
        except ModelRefused as error:
            self._refused.inc()
            _log.error("models refused, those loaded before keep serving", reason=str(error))
            raise
        except TimeoutError as error:
            self._refused.inc()
            _log.error("models not loaded in time, those loaded before keep serving", seconds=LONGEST_RELOAD_SECONDS)
            raise ModelRefused(f"the models could not be loaded within {LONGEST_RELOAD_SECONDS:.0f} seconds") from error
        except Exception as error:  # whatever a stranger's files do, the models that serve go on
            self._refused.inc()
            _log.exception("models cannot be loaded, those loaded before keep serving")
            raise ModelRefused("the models cannot be loaded; the log says why") from error
        self._succeeded.inc()
        _log.info("models loaded", models=[f"{m.manifest.name}/{m.manifest.version}" for m in self.current])

    def close(self) -> None:
        self._loader.close()


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
