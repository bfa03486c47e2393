"""SIGTERM under load: readiness turns false first, every request that has begun is answered, and the end comes soon."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.pictures import photo
from tests.processes import run_catnet, wait_until

CLIENTS = 8
END_SECONDS = 8.0


def test_no_request_is_lost(tmp_path: Path) -> None:
    with run_catnet(tmp_path) as catnet:
        url = catnet.gateway_url
        told = threading.Event()
        answered = threading.Semaphore(0)

        def send_until_told(client: int) -> list[httpx.Response]:
            """On one connection; the last request is the one that is under way, or starts, when the signal comes."""
            responses = []
            with httpx.Client(base_url=url, timeout=15, trust_env=False) as http:
                while not responses or "close" not in responses[-1].headers.get("connection", ""):
                    files = {"file": ("cat.jpg", photo(seed=client), "image/jpeg")}
                    responses.append(http.post("/predict", files=files))
                    answered.release()
            assert told.is_set(), "a connection was closed before the drain"
            return responses

        address = urlsplit(url)
        image = photo()
        with ThreadPoolExecutor(CLIENTS) as pool, ExitStack() as stack:
            sending = [pool.submit(send_until_told, client) for client in range(CLIENTS)]
            for _ in range(5 * CLIENTS):
                assert answered.acquire(timeout=30)
            slow, watcher = (
                stack.enter_context(socket.create_connection((address.hostname, address.port), timeout=15))
                for _ in range(2)
            )
            slow.sendall(f"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: {len(image)}\r\n".encode())
            slow.sendall(b"content-type: image/jpeg\r\n\r\n" + image[:1000])

            told.set()
            started = time.monotonic()
            os.kill(catnet.gateway.pid, signal.SIGTERM)
            statuses = {response.status_code for each in sending for response in each.result(30)}
            assert statuses == {200}
            watcher.sendall(b"GET /health/ready HTTP/1.1\r\nhost: x\r\n\r\n")
            assert watcher.makefile("rb").readline().startswith(b"HTTP/1.1 503 ")

            wait_until(lambda: not is_listening(address.hostname, address.port), "the port is closed", END_SECONDS)
            assert catnet.gateway.is_running()
            slow.sendall(image[1000:])
            assert slow.makefile("rb").readline().startswith(b"HTTP/1.1 200 ")
        wait_until(lambda: not catnet.gateway.is_running(), "the gateway has ended", END_SECONDS)
        assert time.monotonic() - started < END_SECONDS


def is_listening(host: str | None, port: int | None) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True
