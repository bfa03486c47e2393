"""Several containers a service: found by the gateway and by Prometheus, and one of them may go at any time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.containers.compose import Compose, compose_project
from tests.e2e.client import CONCURRENCY, Client
from tests.operations.prometheus_process import Prometheus
from tests.pictures import photo
from tests.processes import wait_until

REPLICAS = {"gateway": 1, "inference": 3, "monitor": 2}
PREDICTIONS = 400
SERIAL_PREDICTIONS = 60
ANSWERED_BY_INFERENCE = 'catnet_http_requests_total{service="inference",route="/predict",code="200"}'


@pytest.fixture(scope="module")
def compose(docker: str) -> Iterator[Compose]:
    with compose_project(docker, "replicas") as compose:
        scale = (f"--scale={name}={count}" for name, count in REPLICAS.items())
        compose.up(*scale, "gateway", "prometheus")
        yield compose


@pytest.fixture(scope="module")
def client(compose: Compose) -> Iterator[Client]:
    with Client(compose.gateway_url) as client:
        yield client


@pytest.fixture(scope="module")
def prometheus(compose: Compose) -> Prometheus:
    return Prometheus(compose.prometheus_url)


def test_prometheus_finds_every_replica_once(prometheus: Prometheus) -> None:
    def found() -> dict[str, int]:
        samples = prometheus.ask("query", query="count by (service) (catnet_build_info)")["result"]
        return {sample["metric"]["service"]: int(sample["value"][1]) for sample in samples}

    wait_until(lambda: found() == REPLICAS, f"Prometheus has {REPLICAS}")


def test_every_replica_of_inference_is_asked_and_every_prediction_counted_once(
    client: Client, prometheus: Prometheus
) -> None:
    before = client.total()
    assert client.predict_many(PREDICTIONS) == [200] * PREDICTIONS
    client.wait_for_total(before + PREDICTIONS)
    assert client.total() == before + PREDICTIONS
    query = f"{ANSWERED_BY_INFERENCE} > 0"
    wait_until(lambda: len(prometheus.values(query)) == REPLICAS["inference"], "every replica answered some")


def test_replicas_share_also_what_comes_one_after_the_other(client: Client, prometheus: Prometheus) -> None:
    def answered() -> dict[str, float]:
        samples = prometheus.ask("query", query=f"sum by (instance) ({ANSWERED_BY_INFERENCE})")["result"]
        return {sample["metric"]["instance"]: float(sample["value"][1]) for sample in samples}

    before = client.total()
    wait_until(lambda: sum(answered().values()) == before, "Prometheus knows of all that was answered")
    first = answered()
    for _ in range(SERIAL_PREDICTIONS):
        assert client.predict(photo()).status_code == 200
    wait_until(lambda: sum(answered().values()) == before + SERIAL_PREDICTIONS, "Prometheus knows of these too")
    shares = [(answers - first[instance]) / SERIAL_PREDICTIONS for instance, answers in answered().items()]
    assert len(shares) == REPLICAS["inference"]
    assert min(shares) > 1 / (2 * REPLICAS["inference"])


def test_replicas_restarted_one_after_the_other_under_load_fail_no_prediction(compose: Compose, client: Client) -> None:
    before = client.total()
    with client.predicting(PREDICTIONS, seconds=10) as statuses:
        for name in compose.containers("inference")[:2]:
            compose.restart_container(name)
    assert statuses.result() == [200] * PREDICTIONS
    client.wait_for_total(before + PREDICTIONS)
    assert client.total() == before + PREDICTIONS


def test_replicas_killed_and_redis_restarted_under_load_fail_no_prediction_and_lose_none(
    compose: Compose, client: Client
) -> None:
    before = client.total()
    with client.predicting(PREDICTIONS, seconds=10) as statuses:
        for service in ("inference", "monitor"):
            compose.kill_container(compose.containers(service)[0])
        compose.run("restart", "redis")
    assert statuses.result() == [200] * PREDICTIONS
    client.wait_for_total(before + PREDICTIONS)
    # What the killed replica had counted and not yet answered, another one was asked again.
    assert before + PREDICTIONS <= client.total() <= before + PREDICTIONS + CONCURRENCY
    wait_until(lambda: client.report()["pipeline"]["balanced"], "every prediction answered is accounted for")
