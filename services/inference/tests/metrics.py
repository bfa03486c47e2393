"""Read one sample of what a service shows to Prometheus."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient


def metric(client: TestClient, sample: str) -> float:
    found = re.search(rf"^{re.escape(sample)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
    assert found, f"{sample} is not shown"
    return float(found[1])
