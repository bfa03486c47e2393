"""What the monitor can be told, from environment variables."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator
from servicekit.settings import ServiceSettings

from monitor.manifests import is_model_name
from monitor.redis_connection import check_redis_url


class MonitorSettings(ServiceSettings):
    port: int = Field(8082, ge=1, le=65535, description="Port to listen on.")
    redis_url: str = Field("redis://127.0.0.1:6379/0", description="Redis that holds the stream and the aggregates.")
    models_dir: Path = Field(Path("models"), description="Folder of <name>/<version>/manifest.json.")
    default_model: str = Field("catnet", description="Model that is reported on unless one is named.")
    batch_events: int = Field(1000, ge=1, le=5000, description="Most stream entries applied in one step.")
    claim_idle_seconds: float = Field(
        5.0, ge=0.1, le=3600, description="Age at which an unfinished entry of another replica is taken over."
    )
    dedupe_hours: int = Field(
        24, ge=1, le=168, description="Hours for which the id of a counted prediction is remembered, at least."
    )
    max_listeners: int = Field(1000, ge=1, le=100_000, description="Most open event streams; more are answered 503.")

    @field_validator("default_model")
    @classmethod
    def _names_a_model(cls, model: str) -> str:
        name, slash, version = model.partition("/")
        if not is_model_name(name) or (slash and not is_model_name(version)):
            raise ValueError("it is no name, and no name/version")
        return model

    @field_validator("redis_url")
    @classmethod
    def _is_a_redis_url(cls, url: str) -> str:
        check_redis_url(url)
        return url
