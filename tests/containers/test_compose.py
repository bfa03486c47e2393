"""The containers: built, healthy, reachable by one door, and with no right that they do not need."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest
from redis_server import ROOT

from tests.containers.compose import Compose, compose_project
from tests.e2e.client import Client
from tests.pictures import photo

OURS = ("gateway", "inference", "monitor")
ALL = (*OURS, "redis")
MEBIBYTE = 2**20
MEGABYTE = 10**6


@pytest.fixture(scope="module")
def compose(docker: str) -> Iterator[Compose]:
    with compose_project(docker, "test") as compose:
        compose.up("gateway")
        yield compose


@pytest.fixture(scope="module")
def client(compose: Compose) -> Iterator[Client]:
    with Client(compose.gateway_url) as client:
        yield client


def test_a_prediction_through_the_published_port_is_counted(client: Client) -> None:
    before = client.total()
    assert client.predict(photo()).status_code == 200
    client.wait_for_total(before + 1)
    assert client.total() == before + 1


def test_the_pages_come_from_the_gateway_alone(client: Client) -> None:
    for path in ("/", "/dashboard"):
        page = client.http.get(path)
        assert page.status_code == 200
        assert "https://" not in page.text


def test_only_the_gateway_is_published_and_only_to_this_machine(compose: Compose) -> None:
    published = {name: compose.inspect(name)["HostConfig"]["PortBindings"] for name in ALL}
    assert [name for name, bindings in published.items() if bindings] == ["gateway"]
    assert [binding["HostIp"] for binding in published["gateway"]["8080/tcp"]] == ["127.0.0.1"]


@pytest.mark.parametrize("name", ALL)
def test_a_container_has_no_right_that_it_does_not_use(compose: Compose, name: str) -> None:
    container = compose.inspect(name)
    host = container["HostConfig"]
    assert container["State"]["Health"]["Status"] == "healthy"
    assert container["Config"]["User"].split(":")[0] not in ("", "0", "root")
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] is None
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Privileged"] is False
    assert host["PidsLimit"] > 0
    assert host["LogConfig"] == {"Type": "local", "Config": {"max-file": "3", "max-size": "10m"}}
    assert host["RestartPolicy"]["Name"] == "unless-stopped"


@pytest.mark.parametrize(("name", "limit"), [("gateway", 160), ("inference", 1280), ("monitor", 160)])
def test_a_service_stays_within_its_memory(compose: Compose, name: str, limit: int) -> None:
    assert compose.inspect(name)["HostConfig"]["Memory"] == limit * MEBIBYTE
    assert compose.inspect(name)["State"]["OOMKilled"] is False


@pytest.mark.parametrize("name", OURS)
def test_an_image_holds_no_tool_for_building_or_testing(compose: Compose, name: str) -> None:
    look = (
        "import shutil, importlib.util as u; "
        "print([t for t in ('gcc', 'cc', 'make', 'node', 'npm', 'git') if shutil.which(t)]"
        " + [m for m in ('pytest', 'hatchling', 'h5py', 'matplotlib', 'mypy') if u.find_spec(m)])"
    )
    assert compose.run("exec", "-T", name, "python", "-c", look).strip() == "[]"


@pytest.mark.parametrize(("name", "limit"), [("gateway", 90), ("inference", 120), ("monitor", 90)])
def test_an_image_adds_little_to_its_base_and_as_much_as_the_page_says(compose: Compose, name: str, limit: int) -> None:
    added = compose.own_image_bytes(name) / MEGABYTE
    assert added < limit
    stated = re.search(rf"What an image adds .*\b{name} (\d+)", (ROOT / "deploy" / "README.md").read_text())
    assert stated
    assert added == pytest.approx(int(stated[1]), abs=4)


@pytest.mark.parametrize("name", OURS)
def test_an_image_says_what_it_is(compose: Compose, name: str) -> None:
    labels = compose.inspect(name)["Config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == f"catnet {name}"
    assert labels["org.opencontainers.image.revision"] == "tested"
    assert labels["org.opencontainers.image.licenses"] == "MIT"


def test_a_redis_that_is_restarted_has_kept_the_count(compose: Compose, client: Client) -> None:
    assert client.predict(photo()).status_code == 200
    client.wait_for_total(1)
    before = client.total()
    compose.run("restart", "redis")
    client.wait_for_total(before)
    assert client.total() == before


@pytest.mark.parametrize("name", OURS)
def test_a_service_ends_in_order_when_asked_to(compose: Compose, client: Client, name: str) -> None:
    compose.run("stop", name)
    assert compose.inspect(name)["State"]["ExitCode"] in (0, 128 + signal.SIGTERM)
    compose.run("up", "--wait", "--no-recreate", "gateway", seconds=180)
    assert client.predict(photo()).status_code == 200
