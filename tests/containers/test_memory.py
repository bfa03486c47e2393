"""Memory: what people's load takes, by the engine's own figures, and that nothing that comes makes it too much."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection

import pytest

from tests.containers.compose import Compose, compose_project
from tests.e2e.client import CONCURRENCY, Client
from tests.pictures import drawn_cat, encoded, photo

LIMITS_MEBIBYTES = {"gateway": 160, "inference": 256, "monitor": 160}
PREDICTIONS = 400
LARGE_PREDICTIONS = 20  # more than are under way at once, which is what takes memory
LOAD = ("--rate", "50", "--connections", "32", "--seconds", "10")
MEBIBYTE = 2**20
LARGEST_BYTES = 10 * MEBIBYTE
UPLOADS = 12
HELD = 4  # that many of the largest fit into MAX_UPLOADS_BYTES
AT_ONCE = 64


@pytest.fixture(scope="module")
def compose(docker: str) -> Iterator[Compose]:
    """As it comes, but for the memory that inference is given for a single huge photo."""
    with compose_project(docker, "memory", INFERENCE_MEMORY=f"{LIMITS_MEBIBYTES['inference']}M") as compose:
        compose.up("gateway")
        yield compose


@pytest.fixture(autouse=True)
def nobody_is_killed(compose: Compose) -> Iterator[None]:
    """The engine holds each service to its share: one that needed more would be killed, and started again."""
    yield
    for name, limit in LIMITS_MEBIBYTES.items():
        container = compose.inspect(name)
        assert container["HostConfig"]["Memory"] == limit * MEBIBYTE
        assert container["State"]["OOMKilled"] is False
        assert container["RestartCount"] == 0


def test_under_load_every_service_stays_within_its_share_and_no_answer_is_wrong(compose: Compose) -> None:
    large = [encoded(drawn_cat(3000, 2250, seed=seed)) for seed in range(2)]
    with Client(compose.gateway_url) as client:
        assert client.predict_many(PREDICTIONS) == [200] * PREDICTIONS
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            answers = list(pool.map(client.predict, large * (LARGE_PREDICTIONS // 2)))
        assert [answer.status_code for answer in answers] == [200] * LARGE_PREDICTIONS
        client.wait_for_total(PREDICTIONS + LARGE_PREDICTIONS)


def test_under_the_profile_load_the_engine_says_so_too(compose: Compose) -> None:
    most = dict.fromkeys(LIMITS_MEBIBYTES, 0.0)
    with ThreadPoolExecutor(1) as background:
        load = background.submit(compose.run, "run", "--rm", "--no-deps", "-T", "load", *LOAD)
        while not load.done():
            now = compose.memory_mebibytes(LIMITS_MEBIBYTES)
            most = {name: max(most[name], now[name]) for name in most}
    load.result()  # an answer other than 200 ends the load with a status that is not 0
    assert [name for name, limit in LIMITS_MEBIBYTES.items() if not 0 < most[name] < limit] == []


def test_photos_that_fill_the_gateway_are_kept_and_the_others_refused(compose: Compose) -> None:
    """Each lacks its last byte until all are there, so that those answered in the end were held at once."""
    largest = photo() + bytes(LARGEST_BYTES - len(photo()))
    head = {"Content-Type": "image/jpeg", "Content-Length": str(LARGEST_BYTES)}
    with ExitStack() as open_connections:
        connections = [HTTPConnection("127.0.0.1", compose.port, timeout=15) for _ in range(UPLOADS)]
        for connection in connections:
            open_connections.enter_context(closing(connection))
            connection.request("POST", "/predict", largest[:-1], head)
        held_mebibytes = compose.memory_mebibytes(["gateway"])["gateway"]
        for connection in connections:
            connection.send(largest[-1:])
        statuses = [connection.getresponse().status for connection in connections]
    assert statuses.count(200) >= HELD
    assert statuses.count(429) == UPLOADS - statuses.count(200) > 0
    assert HELD * LARGEST_BYTES / MEBIBYTE < held_mebibytes < LIMITS_MEBIBYTES["gateway"]


def test_more_photos_at_once_than_there_is_room_for_are_answered_or_refused(compose: Compose) -> None:
    largest = photo() + bytes(LARGEST_BYTES - len(photo()))

    def predict(_: int) -> int:
        with closing(HTTPConnection("127.0.0.1", compose.port, timeout=15)) as connection:
            connection.request("POST", "/predict", largest, {"Content-Type": "image/jpeg"})
            return connection.getresponse().status

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert set(pool.map(predict, range(2 * AT_ONCE))) == {200, 429}
