"""Every service answers, counts, logs and fails in the same way."""

import gc
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from servicekit.application import create_service
from servicekit.health import Dependency, Health
from servicekit.problems import Problem
from servicekit.server import DrainingServer, serve
from servicekit.settings import ServiceSettings, read_settings
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route


class Teapot(Problem):
    status = 418


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello " + request.path_params["name"])


async def teapot(request: Request) -> Response:
    raise Teapot("short and stout", headers={"Retry-After": "7"})


async def crash(request: Request) -> Response:
    local = "a password in " + "a local variable"  # noqa: F841
    raise RuntimeError("secret of the implementation")


@asynccontextmanager
async def nothing(app: FastAPI) -> AsyncIterator[None]:
    yield


async def answers() -> None:
    return None


async def refuses() -> None:
    raise ConnectionError("redis://:password@10.0.0.1")


def create(health: Health) -> FastAPI:
    routes = [
        Route("/hello/{name}", hello),
        Route("/teapot", teapot),
        Route("/crash", crash),
        Mount("/files", PlainTextResponse("a file")),
    ]
    return create_service(
        "gateway", ServiceSettings(), lifespan=nothing, health=health, registry=CollectorRegistry(), routes=routes
    )


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def client(health: Health) -> Iterator[TestClient]:
    with TestClient(create(health)) as client:
        yield client


def test_a_problem_is_answered_in_the_form_of_rfc_9457(client: TestClient) -> None:
    answer = client.get("/teapot", headers={"X-Request-ID": "abc-1"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "7"
    assert answer.json() == {
        "type": "urn:catnet:problem:i-m-a-teapot",
        "title": "I'm a Teapot",
        "status": 418,
        "detail": "short and stout",
        "instance": "/teapot",
        "request_id": "abc-1",
    }


@pytest.mark.parametrize("path", ["/a%20b", "/caf%C3%A9", "/100%25", "/a:b@c,d;e=f&g!(h)*+$'~"])
def test_the_instance_of_a_problem_is_the_address_as_it_may_be_written(client: TestClient, path: str) -> None:
    assert client.get(path).json()["instance"] == path


def test_a_crash_answers_500_and_tells_nothing(client: TestClient) -> None:
    answer = client.get("/crash")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] == answer.json()["request_id"]


def test_an_unknown_address_and_a_wrong_method_are_problems(client: TestClient) -> None:
    assert client.get("/nowhere").json()["status"] == 404
    answer = client.post("/teapot")
    assert (answer.status_code, answer.json()["status"]) == (405, 405)
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("address", ["/health/live", "/metrics", "/teapot", "/files/a"])
def test_an_address_with_a_line_feed_at_its_end_is_another(client: TestClient, address: str) -> None:
    assert client.get(address).status_code in (200, 418)
    assert client.get(address + "%0A").status_code == 404


@pytest.mark.parametrize("insane", ["", "a b", "x" * 129, "<script>"])
def test_an_insane_request_id_is_replaced(client: TestClient, insane: str) -> None:
    answer = client.get("/hello/you", headers={"X-Request-ID": insane})
    assert len(answer.headers["x-request-id"]) == 32


def test_requests_are_counted_by_route_template_not_by_path(client: TestClient) -> None:
    client.get("/hello/alice")
    client.get("/hello/bob")
    client.get("/private-thing")
    metrics = client.get("/metrics").text
    label_set = 'catnet_http_requests_total{code="200",method="GET",route="/hello/{name}",service="gateway"}'
    assert f"{label_set} 2.0" in metrics
    assert 'catnet_http_requests_total{code="404",method="GET",route="unmatched",service="gateway"} 1.0' in metrics
    assert "alice" not in metrics
    assert "private-thing" not in metrics


def test_every_route_is_shown_at_zero_before_its_first_request(client: TestClient) -> None:
    metrics = client.get("/metrics").text
    assert 'catnet_http_requests_total{code="200",method="GET",route="/teapot",service="gateway"} 0.0' in metrics
    assert "catnet_build_info{" in metrics


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("/hello/you/", "/hello/you"),
        ("/hello/you//?a=1&b=%2F", "/hello/you?a=1&b=%2F"),
        ("/hello/you%2F", "/hello/you"),
        ("/hello/%C3%A9%20%0A/", "/hello/%C3%A9%20%0A"),
    ],
)
def test_a_slash_at_the_end_is_led_back_to_no_host_that_the_client_names(
    client: TestClient, address: str, location: str
) -> None:
    answer = client.get(address, headers={"Host": "evil.example"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, location)
    metrics = client.get("/metrics").text
    assert 'catnet_http_requests_total{code="307",method="GET",route="unmatched",service="gateway"} 1.0' in metrics


@pytest.mark.parametrize("address", ["/nowhere/", "//", "//evil.example/", "//teapot/", "/hello/"])
def test_a_slash_at_the_end_of_nothing_is_a_404(client: TestClient, address: str) -> None:
    request = client.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=address.encode())
    assert client.send(request, follow_redirects=False).status_code == 404


def test_metrics_is_a_plain_route(client: TestClient) -> None:
    assert client.get("/metrics", follow_redirects=False).status_code == 200


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "text/plain"),
        ("*/*", "text/plain"),
        ("text/plain;version=x.y", "text/plain"),
        ("application/openmetrics-text", "application/openmetrics-text"),
        ("application/openmetrics-text;version=x", "application/openmetrics-text"),
        ("application/openmetrics-text;version=2.x;escaping=x", "application/openmetrics-text"),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.1",
            "application/openmetrics-text",
        ),
    ],
)
def test_metrics_are_shown_as_they_are_asked_for_whatever_else_is_in_the_header(
    client: TestClient, accept: str, media_type: str
) -> None:
    answer = client.get("/metrics", headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, media_type)
    parse = parse_openmetrics if media_type == "application/openmetrics-text" else parse_text
    assert "catnet_http_requests" in {family.name for family in parse(answer.text)}


def test_readiness_names_what_fails_but_not_where_it_is(client: TestClient, health: Health) -> None:
    health.register(Dependency("model", answers))
    health.register(Dependency("redis", refuses))
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["ok"] == ["model"]
    assert answer.json()["failing"] == {"redis": "ConnectionError"}


def test_an_optional_dependency_does_not_make_a_service_unready(client: TestClient, health: Health) -> None:
    health.register(Dependency("redis", refuses, required=False))
    assert client.get("/health/ready").status_code == 200


def test_a_draining_service_is_live_but_not_ready(client: TestClient, health: Health) -> None:
    health.draining.set()
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == 503


def test_a_draining_service_sends_its_clients_elsewhere(client: TestClient, health: Health) -> None:
    assert "connection" not in client.get("/hello/you").headers
    health.draining.set()
    assert client.get("/hello/you").headers["connection"] == "close"


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "http"), ("PORT", "70000"), ("LOG_LEVEL", "loud"), ("HOST", "[::1]")]
)
def test_a_wrong_setting_stops_the_start_by_name_and_value(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stop:
        read_settings(ServiceSettings)
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith(f"{name}='{value}' is not allowed: ")
    assert message.count("\n") == 1


def test_telemetry_without_its_extra_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("servicekit.settings.is_installed", lambda: False)
    monkeypatch.setenv("TELEMETRY", "true")
    with pytest.raises(SystemExit):
        read_settings(ServiceSettings)
    assert "opentelemetry" in capsys.readouterr().err


def test_a_request_is_logged_as_one_json_line(client: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    from servicekit.logs import configure_logs

    configure_logs(service="gateway", level="info", style="json")
    client.get("/hello/alice?secret=1", headers={"X-Request-ID": "abc-2"})
    line = json.loads(capfd.readouterr().out.strip().splitlines()[-1])
    assert (line["event"], line["route"], line["status"], line["request_id"]) == (
        "request",
        "/hello/{name}",
        200,
        "abc-2",
    )
    assert "secret" not in json.dumps(line)


def test_a_logged_crash_shows_no_value_of_a_variable(client: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    from servicekit.logs import configure_logs

    configure_logs(service="gateway", level="info", style="json")
    client.get("/crash")
    lines = capfd.readouterr().out
    assert "RuntimeError" in lines
    assert "a password in a local variable" not in lines


def test_a_full_garbage_collection_does_not_look_through_all_that_was_loaded(
    health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, thresholds = len(gc.get_objects()), gc.get_threshold()
    monkeypatch.setattr(DrainingServer, "run", lambda server: None)
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    try:
        serve(create(health), ServiceSettings())
        assert len(gc.get_objects()) < loaded / 100
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
