"""Far beyond what can be carried, some are answered, everybody else is told to come back, and nothing else happens.

How soon they are told is measured by `python -m benchmarks.overload`.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.open_loop import send_open_loop
from benchmarks.photos import drawn_photo, encoded
from tests.processes import run_catnet

RATE = 2000.0
SECONDS = 0.2


def test_an_overload_is_answered_with_200_and_429_alone(tmp_path: Path) -> None:
    photo = encoded(drawn_photo(640, 480), "JPEG")
    with run_catnet(tmp_path, LOG_LEVEL="warning", MAX_IN_FLIGHT="1", MAX_QUEUE="1") as catnet:
        address = urlsplit(catnet.gateway_url)
        result = send_open_loop(
            address.hostname or "", address.port or 0, "/predict", photo, rate=RATE, seconds=SECONDS
        )
        metrics = httpx.get(f"{catnet.gateway_url}/metrics", trust_env=False).text
        afterwards = httpx.post(f"{catnet.gateway_url}/predict", files={"file": photo}, trust_env=False, timeout=15)
    assert set(result.latencies) == {"200", "429"}
    assert (result.unanswered, result.without_retry_after) == (0, 0)
    assert result.sent + result.not_sent == RATE * SECONDS
    shed = [line.rpartition(" ")[2] for line in metrics.splitlines() if line.startswith("catnet_requests_shed_total{")]
    assert sum(map(float, shed)) == len(result.latencies["429"])
    assert afterwards.status_code == 200
