"""docs/metrics.md lists each metric that the running services export, with type and labels, and no other."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.docs.pages import tables
from tests.processes import Catnet

COMMON = "Every service"
SERVICES = ("gateway", "inference", "monitor")
NOT_LABELS_OF_OURS = {"le"}


def exported(url: str) -> dict[str, list[str]]:
    """Name to [type, labels] of each metric at an address."""
    response = httpx.get(f"{url}/metrics", timeout=10, trust_env=False)
    response.raise_for_status()
    metrics = {}
    for family in text_string_to_metric_families(response.text):
        if family.name.startswith("catnet_") and not family.name.endswith("_created"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = sorted({label for sample in family.samples for label in sample.labels} - NOT_LABELS_OF_OURS)
            metrics[name] = [family.type, ", ".join(labels) or "none"]
    return metrics


def on_page(section: str) -> dict[str, list[str]]:
    return {name: cells[:2] for name, cells in tables("metrics.md").get(section, {}).items()}


def test_every_section_is_one_of_a_service() -> None:
    assert list(tables("metrics.md")) == [COMMON, *SERVICES]


@pytest.mark.parametrize("service", SERVICES)
def test_page_and_service_name_the_same_metrics(running_catnet: Catnet, service: str) -> None:
    urls = {each.name: each.url for each in running_catnet.services}
    assert on_page(COMMON) | on_page(service) == exported(urls[service])
