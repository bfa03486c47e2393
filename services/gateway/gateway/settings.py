"""What the gateway can be told."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    HttpUrl,
    PlainValidator,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import NoDecode
from servicekit.settings import ServiceSettings


def _words(value: object) -> object:
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


def _secret_words(value: object) -> object:
    """Secret before anything is found wrong with one: what is wrong is shown."""
    words = _words(value)
    return [SecretStr(word) if isinstance(word, str) else word for word in words] if isinstance(words, list) else words


def _is_sent_alike(key: SecretStr) -> SecretStr:
    """Raises: ValueError for a key that clients write in different bytes, or cannot write in a header."""
    text = key.get_secret_value()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("a key must be of printable ASCII characters")
    return key


_CommaSeparated = (NoDecode, BeforeValidator(_words))
ApiKey = Annotated[SecretStr, AfterValidator(_is_sent_alike)]
Network = Annotated[IPv4Network | IPv6Network, PlainValidator(ip_network)]


class GatewaySettings(ServiceSettings):
    port: int = Field(8080, ge=1, le=65535, description="Port to listen on.")
    drain_seconds: float = Field(
        1.0, ge=0, le=60, description="Seconds between turning unready on SIGTERM and closing the port."
    )
    inference_url: HttpUrl = Field(HttpUrl("http://127.0.0.1:8081"), description="Where inference listens.")
    monitor_url: HttpUrl = Field(HttpUrl("http://127.0.0.1:8082"), description="Where the monitor listens.")
    metadata_url: HttpUrl | None = Field(
        None, description="Metadata server that gives ID tokens for calls to the services; without it they carry none."
    )
    frontend_dir: Path = Field(Path("frontend"), description="Folder of the pages, their modules and node_modules.")
    max_upload_bytes: int = Field(
        10 * 1024 * 1024, ge=1024, le=1024 * 1024 * 1024, description="Longest body of a prediction, all of it counted."
    )
    max_uploads_bytes: int = Field(
        128 * 1024 * 1024, ge=1024, description="Most bytes of photos held at once; one more photo is answered 429."
    )
    request_timeout_seconds: float = Field(
        10.0, gt=0, le=300, description="Deadline of a whole request, reading its body included."
    )
    health_timeout_seconds: float = Field(
        1.4, gt=0, le=30, description="How long a health check waits for a service; they wait 1 s for their own."
    )
    max_in_flight: int = Field(
        32, ge=1, le=10_000, description="Most predictions at work at once, once their photos are here."
    )
    max_queue: int = Field(48, ge=0, le=10_000, description="Most predictions that wait; one more is answered 429.")
    max_queue_seconds: float = Field(1.0, gt=0, le=60, description="Longest that a prediction waits to be let in.")
    max_expected_seconds: float = Field(
        0.5, gt=0, le=60, description="No prediction waits whose answer is expected to take longer; it is answered 429."
    )
    max_explanations: int = Field(
        4, ge=1, le=1000, description="Most explanations at work at once; as many may wait, and longer."
    )
    monitor_connections: int = Field(
        256, ge=1, le=10_000, description="Most event streams at once, each a connection to the monitor. One more: 429."
    )
    api_keys: Annotated[tuple[ApiKey, ...], NoDecode, BeforeValidator(_secret_words)] = Field(
        (), description="Keys, of which requests to the interface must send one; without any, none is asked for."
    )
    trusted_proxies: Annotated[tuple[Network, ...], *_CommaSeparated] = Field(
        (), description="Networks of the proxies in front, whose X-Forwarded-For and -Proto are believed."
    )
    rate_limit_per_minute: int = Field(0, ge=0, le=1_000_000, description="Requests of one client a minute; 0: any.")
    rate_limit_burst: int = Field(20, ge=1, le=10_000, description="Requests of one client that may come at once.")
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0", description="Redis that counts clients' requests; not used without a rate limit."
    )

    @field_validator("redis_url")
    @classmethod
    def _is_a_redis_url(cls, url: str, others: ValidationInfo) -> str:
        if others.data.get("rate_limit_per_minute"):
            from redis.asyncio.connection import parse_url  # not loaded where it is not used

            parse_url(url)
        return url
