"""What inference can be told."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, field_validator
from redis.asyncio.connection import parse_url
from servicekit.settings import ServiceSettings


class InferenceSettings(ServiceSettings):
    port: int = Field(8081, ge=1, le=65535, description="Port to listen on.")
    redis_url: str = Field("redis://127.0.0.1:6379/0", description="Redis that takes the events.")
    models_dir: Path = Field(Path("models"), description="Folder of models: <name>/<version>.")
    default_model: str = Field(
        "catnet", description="Model that answers when a request names none: NAME, or NAME/VERSION."
    )
    shadow_model: str | None = Field(
        None, description="Model that repeats predictions for comparison: NAME, or NAME/VERSION."
    )
    shadow_share: float = Field(1.0, ge=0, le=1, description="Share of the predictions that the shadow model repeats.")
    max_upload_bytes: int = Field(10 * 2**20, ge=1, description="Largest body taken.")
    max_image_pixels: int = Field(50_000_000, ge=1, description="Largest image decoded, width times height.")
    max_batch_images: int = Field(
        64, ge=1, le=1024, description="Most images in one request of the Open Inference Protocol."
    )
    worker_threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        description="Threads that decode and predict; as many images are in work at once. Default: one a core.",
    )
    max_requests: int = Field(
        128, ge=1, description="Predictions in work and waiting for a thread; one more is refused with 429."
    )
    max_explanations: int = Field(
        4, ge=1, description="Explanations in work, one at a time, and waiting; one more is refused with 429."
    )
    request_timeout_seconds: float = Field(
        10.0, gt=0, le=300, description="Deadline of a request: receiving, waiting and work together."
    )
    event_wait_seconds: float = Field(
        0.02, ge=0, le=1, description="Longest that an answer waits for its event to be in Redis."
    )
    event_buffer_size: int = Field(
        100_000, ge=1, description="Events kept back while Redis is away; further ones are dropped and counted."
    )
    event_flush_seconds: float = Field(
        2.0, ge=0, le=60, description="Longest that shutdown waits for a Redis that takes no events."
    )

    @property
    def longest_drain_seconds(self) -> float:
        """From SIGTERM to the end of the process: the time that requests did not need is the events'."""
        return self.drain_seconds + self.shutdown_seconds + self.event_flush_seconds

    @field_validator("redis_url")
    @classmethod
    def _is_a_redis_url(cls, url: str) -> str:
        parse_url(url)
        return url
