"""Settings come from environment variables, are read once, and a wrong one stops the start with one clear line."""

from __future__ import annotations

import re
import socket
import sys
from typing import Literal, TypeVar

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from servicekit.logs import LogStyle
from servicekit.telemetry import is_installed

CONFIGURATION_ERROR = 2
"""Exit status when a setting is wrong."""


class ServiceSettings(BaseSettings):
    """What every service can be told. Subclasses add their own; ``docs/settings.md`` lists all."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=1, le=65535, description="Port to listen on.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe level logged.")
    log_format: LogStyle = Field("json", description="One JSON object a line, or text for a terminal.")
    revision: str = Field("unknown", description="Source revision shown in catnet_build_info.")
    drain_seconds: float = Field(
        0.0, ge=0, le=60, description="Seconds between turning unready on SIGTERM and closing the port."
    )
    shutdown_seconds: int = Field(
        5, ge=1, le=60, description="Seconds that running requests get to finish after the port is closed."
    )
    telemetry: bool = Field(False, description="Export a span a request, to where OTEL_EXPORTER_OTLP_ENDPOINT says.")

    @field_validator("host")
    @classmethod
    def _is_an_address(cls, host: str) -> str:
        try:
            socket.getaddrinfo(host, None)
        except (OSError, UnicodeError):
            raise ValueError("it is no address, and no name of one") from None
        return host

    @field_validator("telemetry")
    @classmethod
    def _has_its_extra(cls, is_on: bool) -> bool:
        if is_on and not is_installed():
            raise ValueError("it needs catnet-servicekit[opentelemetry]")
        return is_on


SettingsType = TypeVar("SettingsType", bound=ServiceSettings)


def read_settings(settings_class: type[SettingsType]) -> SettingsType:
    """Read the environment, or say on standard error what is wrong with it and exit with status 2."""
    try:
        return settings_class()
    except ValidationError as error:
        for fault in error.errors():
            name = str(fault["loc"][0]).upper() if fault["loc"] else "settings"
            print(f"{name}={_without_password(fault['input'])!r} is not allowed: {fault['msg']}", file=sys.stderr)
        sys.exit(CONFIGURATION_ERROR)


def _without_password(value: object) -> str:
    return re.sub(r"://[^/@]*@", "://***@", str(value))
