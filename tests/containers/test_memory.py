"""Under the load that people are, the services need much less memory than the hardest single photo may."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.containers.compose import Compose, compose_project
from tests.e2e.client import CONCURRENCY, Client
from tests.pictures import drawn_cat, encoded

LIMITS_MEBIBYTES = {"gateway": 160, "inference": 256, "monitor": 160}
PREDICTIONS = 400
LARGE_PREDICTIONS = 40
MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def compose(docker: str) -> Iterator[Compose]:
    limits = {f"{name.upper()}_MEMORY": f"{limit}M" for name, limit in LIMITS_MEBIBYTES.items()}
    with compose_project(docker, "memory", **limits) as compose:
        compose.up("gateway")
        yield compose


def test_under_load_every_service_stays_within_its_share_and_no_answer_is_wrong(compose: Compose) -> None:
    """The engine holds them to it: a service that needed more would be killed, and its answers would be missing."""
    large = [encoded(drawn_cat(3000, 2250, seed=seed)) for seed in range(2)]
    with Client(compose.gateway_url) as client:
        assert client.predict_many(PREDICTIONS) == [200] * PREDICTIONS
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            answers = list(pool.map(client.predict, large * (LARGE_PREDICTIONS // 2)))
        assert [answer.status_code for answer in answers] == [200] * LARGE_PREDICTIONS
        client.wait_for_total(PREDICTIONS + LARGE_PREDICTIONS)
    for name, limit in LIMITS_MEBIBYTES.items():
        container = compose.inspect(name)
        assert container["HostConfig"]["Memory"] == limit * MEBIBYTE
        assert container["State"]["OOMKilled"] is False
        assert container["RestartCount"] == 0
