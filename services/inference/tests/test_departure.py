"""For a client that has left, nothing is begun; what others wait for goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from fastapi import FastAPI
from inference import predictor
from inference.app import create_app
from inference.settings import InferenceSettings
from servicekit.http_exchange import HttpExchange
from servicekit.http_protocol import HttpProtocol

from services.inference.tests.memory_stream import MemoryStream

pytestmark = pytest.mark.anyio


class Connection(HttpProtocol):
    """Stands for that of a client: keeps what is written."""

    def __init__(self) -> None:
        self.written = b""

    default_headers = ()
    is_full = False

    def write(self, data: bytes) -> None:
        self.written += data

    def resume_reading(self) -> None:
        pass

    def forget(self, task: asyncio.Task[None]) -> None:
        pass

    def end_exchange(self, *, keeps_alive: bool) -> None:
        pass


class Client:
    """One request, and a hand that can close its connection."""

    def __init__(self, app: FastAPI, path: str, body: bytes) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [],
        }
        self._connection = Connection()
        self._exchange = HttpExchange(self._connection, scope, keeps_alive=True, awaits_continue=False)
        self._exchange.take_body(body)
        self._exchange.end_body()
        self._exchange.task = self.answered = asyncio.create_task(self._exchange.run(app, scope))

    def leave(self) -> None:
        self._exchange.lose()

    @property
    def is_watched(self) -> bool:
        return bool(self._exchange._loss_watchers)

    @property
    def sent(self) -> bytes:
        return self._connection.written

    @property
    def status(self) -> int:
        return int(self.sent.split()[1])


@pytest.fixture
async def app(settings: InferenceSettings, stream: MemoryStream) -> AsyncIterator[FastAPI]:
    """With one thread, so that one request can keep others waiting."""
    app = create_app(settings.model_copy(update={"worker_threads": 1}), stream=stream)
    async with app.router.lifespan_context(app):
        yield app


class Decoder:
    """Stands before the real one: counts what is begun, and holds it until it is released."""

    def __init__(self, real: Callable[..., object]) -> None:
        self._real = real
        self.begun = 0
        self.release = threading.Event()

    def __call__(self, data: bytes, max_pixels: int, **options: object) -> object:
        self.begun += 1
        assert self.release.wait(10)
        return self._real(data, max_pixels, **options)


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Decoder:
    decoder = Decoder(predictor.decode_image)
    monkeypatch.setattr(predictor, "decode_image", decoder)
    return decoder


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - a thread has no event to wait for
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("path", ["/predict", "/explain"])
async def test_queued_work_of_a_client_that_left_is_never_begun(
    app: FastAPI, decoder: Decoder, stream: MemoryStream, photo: bytes, path: str
) -> None:
    first = Client(app, path, photo)
    await until(lambda: decoder.begun == 1)
    leaving, staying = Client(app, path, photo), Client(app, path, photo)
    await asyncio.sleep(0.01)  # both are read, and wait for the thread
    leaving.leave()
    async with asyncio.timeout(10):
        await leaving.answered
    assert leaving.sent == b""
    decoder.release.set()
    async with asyncio.timeout(10):
        await asyncio.gather(first.answered, staying.answered)
    assert (first.status, staying.status) == (200, 200)
    assert decoder.begun == 2
    assert len(stream.events) == 2


async def test_it_is_counted_as_a_request_that_its_client_closed(app: FastAPI, decoder: Decoder, photo: bytes) -> None:
    first = Client(app, "/predict", photo)
    await until(lambda: decoder.begun == 1)
    leaving = Client(app, "/predict", photo)
    await asyncio.sleep(0.01)
    leaving.leave()
    async with asyncio.timeout(10):
        await leaving.answered
    decoder.release.set()
    await first.answered
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inference") as client:
        counted = (await client.get("/metrics")).text
    assert 'code="499",method="POST",route="/predict",service="inference"} 1.0' in counted


async def test_a_client_that_stays_is_answered_and_watched_no_longer(
    app: FastAPI, decoder: Decoder, photo: bytes
) -> None:
    client = Client(app, "/predict", photo)
    await until(lambda: decoder.begun == 1)
    assert client.is_watched
    decoder.release.set()
    await client.answered
    assert client.status == 200
    assert not client.is_watched
