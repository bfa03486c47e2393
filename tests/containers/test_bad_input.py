"""What an operator may do wrong: compose fails, the log says what it was, and mending it is enough."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.containers.compose import compose_project
from tests.e2e.client import Client
from tests.pictures import photo
from tests.processes import wait_until

OF_REDIS = ("inference", "monitor")
CONFIGURATION_ERROR = 2
PASSWORD = "Wr0ngPassw0rd"  # noqa: S105 - of nothing


def test_a_wrong_setting_is_named_and_its_service_is_tried_again(docker: str) -> None:
    with compose_project(docker, "setting", LOG_LEVEL="loud") as compose:
        assert "inference" in compose.up_in_vain("inference")
        said = "LOG_LEVEL='loud' is not allowed: "
        wait_until(lambda: compose.log("inference").count(said) > 1, "it is tried again")
        assert compose.status("run", "--rm", "--no-deps", "-T", "inference") == CONFIGURATION_ERROR
        # Ever more rarely, up to once a minute, for as long as nobody stops it.
        assert compose.inspect("inference")["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"


def test_a_wrong_password_of_redis_is_said_but_not_shown_and_photos_are_answered_all_the_same(
    docker: str, tmp_path: Path
) -> None:
    overrides = tmp_path / "wrong-password.yaml"
    url = f"redis://:{PASSWORD}@redis:6379/0"
    overrides.write_text(
        "services:\n"
        f"  inference: {{environment: {{REDIS_URL: '{url}'}}}}\n"
        # Judged at once: it has half a minute to become healthy in otherwise.
        f"  monitor: {{environment: {{REDIS_URL: '{url}'}}, healthcheck: {{interval: 1s, start_period: 1s}}}}\n"
    )
    with compose_project(docker, "password", overrides, REDIS_PASSWORD="another") as compose:  # noqa: S106
        compose.up("inference")
        assert "monitor" in compose.up_in_vain("monitor")
        for name in OF_REDIS:
            wait_until(lambda name=name: "AuthenticationError" in compose.log(name), f"{name} says what is wrong")
            assert PASSWORD not in compose.log(name)
        assert compose.inspect("monitor")["State"]["Health"]["Status"] == "unhealthy"
        assert compose.inspect("monitor")["RestartCount"] == 0  # it would not help: the monitor keeps asking


def test_a_password_that_would_break_the_url_is_refused_before_anything_uses_it(docker: str) -> None:
    with compose_project(docker, "characters", REDIS_PASSWORD="pass/w0rd+") as compose:  # noqa: S106
        assert "redis" in compose.up_in_vain("inference")
        assert "REDIS_PASSWORD is not allowed: letters and digits only" in compose.log("redis")
        assert "pass/w0rd+" not in compose.log("redis")


def test_with_its_password_redis_lets_the_services_in(docker: str) -> None:
    with compose_project(docker, "secret", REDIS_PASSWORD="secret") as compose:  # noqa: S106
        compose.up("gateway")
        with Client(compose.gateway_url) as client:
            assert client.predict(photo()).status_code == 200
            client.wait_for_total(1)
        assert "NOAUTH" in compose.run("exec", "-T", "--env=REDISCLI_AUTH=", "redis", "redis-cli", "ping")


def test_a_port_that_is_taken_is_named_and_free_again_it_is_used(docker: str) -> None:
    with compose_project(docker, "port") as compose:
        with socket.create_server(("127.0.0.1", compose.port)):
            errors = compose.up_in_vain("gateway")
            assert f"127.0.0.1:{compose.port}" in errors
            assert "already" in errors
        compose.up("gateway")
        with Client(compose.gateway_url) as client:
            assert client.predict(photo()).status_code == 200


def test_a_volume_that_cannot_be_written_keeps_redis_from_starting(docker: str) -> None:
    with compose_project(docker, "volume") as compose:
        compose.make_volume_of_root("redis")
        assert "redis" in compose.up_in_vain("redis")
        assert "Permission denied" in compose.log("redis")
        wait_until(lambda: compose.inspect("redis")["State"]["ExitCode"] == 1, "the status of a failed attempt")


def test_nothing_is_asked_of_the_internet_at_run_time(docker: str, tmp_path: Path) -> None:
    overrides = tmp_path / "no-internet.yaml"
    overrides.write_text("networks: {front: {internal: true}, observability: {internal: true}}\n")
    with compose_project(docker, "offline", overrides) as compose:
        compose.up("gateway")
        assert compose.open_networks() == []
        compose.run("run", "--rm", "--no-deps", "-T", "load", "--rate", "10", "--seconds", "3")
