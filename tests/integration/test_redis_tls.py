"""Redis over TLS with a password, as a managed one is reached: a prediction goes all the way through it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from preflight import free_port
from redis_server import find_redis_server

from tests.e2e.client import Client
from tests.pictures import photo
from tests.processes import run_catnet_on, wait_until
from tests.tools import missing

PASSWORD = "correct-horse"  # noqa: S105 - of a Redis that ends with the test


def make_certificates(directory: Path) -> None:
    """An authority of its own, and a certificate from it for a name that is not the server's: as Memorystore's are."""
    openssl = shutil.which("openssl") or missing("openssl", "apt install openssl")
    request = ("req", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    sign = ("x509", "-req", "-in", "redis.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
    for words in (
        (*request, "-x509", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"),
        (*request, "-subj", "/CN=redis", "-keyout", "redis.key", "-out", "redis.csr"),
        (*sign, "-out", "redis.pem"),
    ):
        subprocess.run([openssl, *words], cwd=directory, capture_output=True, check=True, timeout=60)


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    make_certificates(tmp_path)
    port = free_port()
    words = [
        "--port",
        "0",
        "--bind",
        "127.0.0.1",
        "--tls-port",
        str(port),
        "--requirepass",
        PASSWORD,
        "--dir",
        str(tmp_path),
    ]
    files = ["--tls-cert-file", "redis.pem", "--tls-key-file", "redis.key", "--tls-ca-cert-file", "ca.pem"]
    process = subprocess.Popen(
        [find_redis_server(), *words, *files, "--tls-auth-clients", "no", "--save", ""],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
    )
    url = f"rediss://:{PASSWORD}@127.0.0.1:{port}/0?ssl_ca_certs={tmp_path / 'ca.pem'}&ssl_check_hostname=false"

    def answers() -> bool:
        assert process.poll() is None, "Redis ended; was it built without TLS?"
        try:
            with redis.Redis.from_url(url) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    try:
        wait_until(answers, "Redis answers over TLS")
        yield url
    finally:
        process.terminate()
        process.wait(20)


def test_a_prediction_is_counted_through_it(redis_url: str, tmp_path: Path) -> None:
    with run_catnet_on(redis_url, tmp_path) as services, Client(services["gateway"].url) as client:
        assert client.predict(photo()).status_code == 200
        client.wait_for_total(1)
        assert client.total() == 1
