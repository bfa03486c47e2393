"""docs/settings.md lists each setting of the code with its default, and no other."""

from __future__ import annotations

import pytest
from gateway.settings import GatewaySettings
from inference.settings import InferenceSettings
from monitor.settings import MonitorSettings
from servicekit.settings import ServiceSettings
from start import LaunchSettings

from tests.docs.pages import tables

SECTIONS = {
    "Every service": ServiceSettings,
    "gateway": GatewaySettings,
    "inference": InferenceSettings,
    "monitor": MonitorSettings,
    "make run": LaunchSettings,
}
WORDED_DEFAULTS = {
    ("gateway", "METADATA_URL"): "none",
    ("gateway", "API_KEYS"): "none",
    ("gateway", "TRUSTED_PROXIES"): "none",
    ("inference", "WORKER_THREADS"): "one a core",
    ("inference", "SHADOW_MODEL"): "none",
    ("make run", "REDIS_URL"): "none",
}


def in_code(settings: type[ServiceSettings]) -> dict[str, str]:
    """The settings that a class declares itself, as the environment spells them, with their defaults."""
    return {
        name.upper(): str(field.get_default(call_default_factory=True, validated_data={}))
        for name, field in settings.model_fields.items()
        if name in settings.__annotations__ and not (settings is ServiceSettings and name == "port")  # each has its own
    }


def test_every_section_is_one_of_a_settings_class() -> None:
    assert list(tables("settings.md")) == list(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS)
def test_page_and_code_name_the_same_settings_with_the_same_defaults(section: str) -> None:
    on_page = {name: cells[0] for name, cells in tables("settings.md")[section].items()}
    in_words = {name: default for (title, name), default in WORDED_DEFAULTS.items() if title == section}
    assert on_page == in_code(SECTIONS[section]) | in_words
