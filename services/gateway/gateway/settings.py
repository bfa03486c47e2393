"""What the gateway can be told."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, HttpUrl
from servicekit.settings import ServiceSettings


class Settings(ServiceSettings):
    port: int = Field(8080, ge=1, le=65535, description="Port to listen on.")
    drain_seconds: float = Field(
        1.0, ge=0, le=60, description="Seconds between turning unready on SIGTERM and closing the port."
    )
    inference_url: HttpUrl = Field(HttpUrl("http://127.0.0.1:8081"), description="Where inference listens.")
    monitor_url: HttpUrl = Field(HttpUrl("http://127.0.0.1:8082"), description="Where the monitor listens.")
    frontend_dir: Path = Field(Path("frontend"), description="Folder of the pages, their modules and node_modules.")
    max_upload_bytes: int = Field(
        10 * 1024 * 1024, ge=1024, le=1024 * 1024 * 1024, description="Longest body of a prediction, all of it counted."
    )
    request_timeout_seconds: float = Field(
        10.0, gt=0, le=300, description="Deadline of a whole request, reading its body included."
    )
    health_timeout_seconds: float = Field(
        1.4, gt=0, le=30, description="How long a health check waits for a service; they wait 1 s for their own."
    )
    max_in_flight: int = Field(
        64, ge=1, le=10_000, description="Most predictions at work at once, reading their bodies included."
    )
    max_queue: int = Field(64, ge=0, le=10_000, description="Most predictions that wait; one more is answered 429.")
    max_queue_seconds: float = Field(1.0, gt=0, le=60, description="Longest that a prediction waits to be let in.")
    max_expected_seconds: float = Field(
        0.6, gt=0, le=60, description="No prediction is let in while its answer is expected to take longer."
    )
    max_explanations: int = Field(
        4, ge=1, le=1000, description="Most explanations at work at once; as many may wait, and longer."
    )
    monitor_connections: int = Field(
        256, ge=1, le=10_000, description="Most connections to the monitor at once; an open dashboard holds one."
    )
