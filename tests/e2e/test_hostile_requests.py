"""What is no proper request gets a 4xx or a closed connection, in time, and leaves the gateway as it was."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest

from tests.processes import Catnet, run_catnet

HEAD = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: image/jpeg\r\n"


def first_line(gateway_url: str, request: bytes, *, seconds: float = 15.0) -> bytes:
    """Of the answer to these bytes; empty if the connection is closed without one."""
    address = urlsplit(gateway_url)
    with socket.create_connection((address.hostname, address.port), timeout=seconds) as connection:
        connection.sendall(request)
        return connection.makefile("rb").readline()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /static/../../../etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n", 404),
        (b"GET /static/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n", 404),
        (b"GET /static/..%2f..%2fpyproject.toml HTTP/1.1\r\nhost: x\r\n\r\n", 404),
        (b"GET //etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n", 404),
        (b"GET /vendor/chart.js/../../package.json HTTP/1.1\r\nhost: x\r\n\r\n", 404),
        (b"GET /static/index.js\0.png HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 100_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"x: y\r\n" * 10_000 + b"\r\n", 431),
        (b"GET /?" + b"a" * 100_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 431),
        (HEAD + b"content-length: -1\r\n\r\n", 400),
        (HEAD + b"content-length: 0x10\r\n\r\n", 400),
        (HEAD + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd", 400),
        (HEAD + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"content-length: 99999999999999999999999999\r\n\r\n", 400),
        (HEAD + b"content-length: 999999999999\r\n\r\n", 413),
        (HEAD + b"transfer-encoding: chunked\r\n\r\nffffffffffffffffffff\r\n", 400),
        (HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 415),
        (b"BREW / HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        (b"CONNECT example.org:443 HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nhost: x\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ],
)
def test_it_is_refused(running_catnet: Catnet, request_: bytes, status: int) -> None:
    line = first_line(running_catnet.gateway_url, request_)
    assert line.startswith(f"HTTP/1.1 {status} ".encode()), line
    assert httpx.get(f"{running_catnet.gateway_url}/health", trust_env=False).status_code == 200


def test_a_body_that_drips_is_cut_off_at_the_deadline(tmp_path_factory: pytest.TempPathFactory) -> None:
    with run_catnet(tmp_path_factory.mktemp("drips"), REQUEST_TIMEOUT_SECONDS="1.0") as catnet:
        address = urlsplit(catnet.gateway_url)
        with socket.create_connection((address.hostname, address.port), timeout=0.05) as connection:
            connection.sendall(HEAD + b"content-length: 100000\r\n\r\n")
            start = time.monotonic()
            answer = b""
            while b"\r\n" not in answer:
                connection.sendall(b"x")
                try:
                    answer += connection.recv(1000)
                except TimeoutError:
                    assert time.monotonic() - start < 5
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert time.monotonic() - start >= 0.9
