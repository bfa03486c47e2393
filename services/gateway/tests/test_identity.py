"""Where the services want to know who asks, every call carries a token for its service, and none waits for the next."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
from gateway.http_transport import HttpTransport
from gateway.identity import ATTEMPTS, RENEW_SECONDS, REST_SECONDS, IdTokens, NotIdentified
from structlog.testing import capture_logs

from services.gateway.tests.conftest import StartGateway
from services.gateway.tests.scripted_upstream import (
    Behaviour,
    Received,
    ScriptedUpstream,
    answer,
    close,
    scripted_upstream,
)

pytestmark = pytest.mark.anyio

SERVICE = "https://inference.example/"
PNG = {"content-type": "image/png"}
PHOTO = b"\x89PNG\r\n\x1a\n"
HOUR = 3600.0


def token(audience: str, expires: float, serial: int = 0) -> str:
    def part(document: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256'})}.{part({'aud': audience, 'exp': int(expires), 'serial': serial})}.c2lnbmVk"


def audience_of(received: Received) -> str:
    return parse_qs(urlsplit(received.target).query)["audience"][0]


def gives(body: object, *, status: int = 200, flavour: str = "Google") -> Behaviour:
    content = body.encode() if isinstance(body, str) else body
    return answer(content, status=status, content_type="text/html", headers=(f"Metadata-Flavor: {flavour}",))


class Clock:
    """Shows the time that a test sets: seconds since 1970."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class MetadataServer:
    """A real HTTP server that gives tokens as the one of a Google Cloud machine does, until a test changes that."""

    def __init__(self, upstream: ScriptedUpstream, clock: Callable[[], float], *, lifetime_seconds: float) -> None:
        self._upstream = upstream
        self._clock = clock
        self._lifetime_seconds = lifetime_seconds
        self.url = upstream.url
        self.recover()

    def behave(self, behaviour: Behaviour) -> None:
        self._upstream.behave = behaviour

    def recover(self) -> None:
        self._upstream.behave = self._give

    @property
    def asked(self) -> list[Received]:
        return self._upstream.received

    async def _give(self, received: Received, writer: asyncio.StreamWriter) -> None:
        given = token(audience_of(received), self._clock() + self._lifetime_seconds, serial=len(self.asked))
        await gives(given)(received, writer)


@asynccontextmanager
async def metadata_server(
    clock: Callable[[], float] = time.time, lifetime_seconds: float = HOUR
) -> AsyncIterator[MetadataServer]:
    async with scripted_upstream() as upstream:
        yield MetadataServer(upstream, clock, lifetime_seconds=lifetime_seconds)


@asynccontextmanager
async def tokens_of(metadata: MetadataServer, clock: Callable[[], float]) -> AsyncIterator[IdTokens]:
    async with (
        HttpTransport(str(metadata.url), connections=1) as transport,
        IdTokens(SERVICE, transport, clock=clock) as tokens,
    ):
        yield tokens


async def bearer(tokens: IdTokens) -> str:
    headers = await tokens.sign({"x-request-id": "id"})
    assert headers["x-request-id"] == "id"
    return headers["authorization"].removeprefix("Bearer ")


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - what is waited for happens in a server that knows no event
            await asyncio.sleep(0.005)


async def test_predictions_reports_streams_and_probes_carry_a_token_for_the_service_that_is_asked(
    start_gateway: StartGateway, inference: ScriptedUpstream, monitor: ScriptedUpstream
) -> None:
    async with metadata_server() as metadata:
        gateway = await start_gateway(metadata_url=str(metadata.url))
        await gateway.http.post("/predict", content=PHOTO, headers=PNG | {"authorization": "Bearer of-the-client"})
        for path in ("/api/monitor/report", "/api/monitor/stream", "/health"):
            await gateway.http.get(path)
        for service in (inference, monitor):
            assert len(service.received) > 1
            for received in service.received:
                kind, _, sent = received.headers["authorization"].partition(" ")
                claims = json.loads(base64.urlsafe_b64decode(sent.split(".")[1] + "=="))
                assert (kind, claims["aud"]) == ("Bearer", service.url)
        assert set(map(audience_of, metadata.asked)) == {inference.url, monitor.url}
        assert {request.headers["metadata-flavor"] for request in metadata.asked} == {"Google"}
        paths = {urlsplit(request.target).path for request in metadata.asked}
        assert paths == {"/computeMetadata/v1/instance/service-accounts/default/identity"}


async def test_without_a_metadata_server_no_call_carries_anything(
    start_gateway: StartGateway, inference: ScriptedUpstream
) -> None:
    gateway = await start_gateway()
    await gateway.http.post("/predict", content=PHOTO, headers=PNG | {"authorization": "Bearer of-the-client"})
    assert "authorization" not in inference.received[0].headers


async def test_a_gateway_that_gets_no_token_answers_502_then_503_asks_nobody_and_says_why(
    start_gateway: StartGateway, inference: ScriptedUpstream
) -> None:
    async with metadata_server() as metadata:
        metadata.behave(gives("no such account", status=404))
        with capture_logs() as logs:
            gateway = await start_gateway(metadata_url=str(metadata.url))
            statuses = [(await gateway.http.post("/predict", content=PHOTO, headers=PNG)).status_code for _ in range(7)]
        assert statuses == [502] * 5 + [503] * 2
        assert inference.received == []
        said = next(line for line in logs if line["event"] == "no ID token" and line["audience"] == inference.url)
        assert said["reason"] == "answered 404, and not as a metadata server does"
        assert said["last_one_is_valid"] is False
        away = next(line for line in logs if line["event"] == "upstream away")
        assert away["reason"] == "the metadata server gave no ID token"


async def test_a_token_is_fetched_once_for_however_many_calls() -> None:
    clock = Clock()
    async with metadata_server(clock) as metadata, tokens_of(metadata, clock) as tokens:
        sent = await asyncio.gather(*(bearer(tokens) for _ in range(20)))
        assert len(set(sent)) == 1
        assert list(map(audience_of, metadata.asked)) == ["https://inference.example"]


async def test_a_token_about_to_expire_is_still_used_while_the_next_one_is_fetched() -> None:
    clock = Clock()
    async with metadata_server(clock) as metadata, tokens_of(metadata, clock) as tokens:
        first = await bearer(tokens)
        clock.now += HOUR - RENEW_SECONDS - 1
        assert await bearer(tokens) == first
        assert len(metadata.asked) == 1

        may_answer = asyncio.Event()

        async def late(received: Received, writer: asyncio.StreamWriter) -> None:
            await may_answer.wait()
            await gives(token(audience_of(received), clock.now + HOUR, serial=99))(received, writer)

        metadata.behave(late)
        clock.now += 1
        assert await bearer(tokens) == first
        await until(lambda: len(metadata.asked) == 2)
        assert await bearer(tokens) == first
        may_answer.set()
        async with asyncio.timeout(10):
            while await bearer(tokens) == first:  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.005)
        assert len(metadata.asked) == 2


async def test_an_expired_token_is_never_sent_and_the_call_waits_for_the_next() -> None:
    clock = Clock()
    async with metadata_server(clock) as metadata, tokens_of(metadata, clock) as tokens:
        first = await bearer(tokens)
        clock.now += HOUR
        assert await bearer(tokens) != first


async def test_a_metadata_server_that_stumbles_is_asked_again_at_once() -> None:
    clock = Clock()
    async with metadata_server(clock) as metadata:

        async def stumble(received: Received, writer: asyncio.StreamWriter) -> None:
            metadata.recover()
            await close(received, writer)

        metadata.behave(stumble)
        async with tokens_of(metadata, clock) as tokens:
            assert await bearer(tokens)


async def test_while_the_metadata_server_is_away_a_valid_token_serves_on_and_a_new_one_is_asked_for_now_and_then() -> (
    None
):
    clock = Clock()
    async with metadata_server(clock) as metadata, tokens_of(metadata, clock) as tokens:
        first = await bearer(tokens)
        metadata.behave(close)
        clock.now += HOUR - RENEW_SECONDS
        with capture_logs() as logs:
            assert await bearer(tokens) == first
            await until(lambda: any(line["event"] == "no ID token" for line in logs))
        assert [line["last_one_is_valid"] for line in logs if line["event"] == "no ID token"] == [True]
        asked = len(metadata.asked)
        assert asked >= 1 + ATTEMPTS
        assert await bearer(tokens) == first
        clock.now += REST_SECONDS / 2
        assert await bearer(tokens) == first
        assert len(metadata.asked) == asked
        metadata.recover()
        clock.now += REST_SECONDS
        assert await bearer(tokens) == first
        await until(lambda: len(metadata.asked) == asked + 1)
        clock.now += RENEW_SECONDS
        assert await bearer(tokens) != first


async def never(received: Received, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (gives("not a token"), "what was given is no token"),
        (gives("a.b.c"), "what was given is no token"),
        (gives("a.bnVsbA.c"), "what was given is no token"),
        (gives(token("x", 1_000_000_000.0)), "the token given has expired"),
        (gives(token("x", 2e9) + "\r\nx: y"), "what was given is no token"),
        (gives(token("x", 2e9), flavour="other"), "answered 200, and not as a metadata server does"),
        (close, "the connection was closed"),
    ],
    ids=["text", "no JSON", "no claims", "expired", "a line too many", "another server", "closed"],
)
async def test_what_is_no_usable_token_is_named_in_the_log_and_not_sent(behaviour: Behaviour, reason: str) -> None:
    async with metadata_server() as metadata:
        metadata.behave(behaviour)
        with capture_logs() as logs:
            async with tokens_of(metadata, time.time) as tokens:
                with pytest.raises(NotIdentified):
                    await bearer(tokens)
        assert {line["reason"] for line in logs if line["event"] == "no ID token"} == {reason}


async def test_a_metadata_server_that_never_answers_keeps_no_call_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.identity.ATTEMPT_SECONDS", 0.05)
    async with metadata_server() as metadata:
        metadata.behave(never)
        with capture_logs() as logs:
            async with tokens_of(metadata, time.time) as tokens, asyncio.timeout(5):
                with pytest.raises(NotIdentified):
                    await bearer(tokens)
        assert {line["reason"] for line in logs if line["event"] == "no ID token"} == {"no answer in time"}


async def test_closing_ends_a_fetch_that_is_under_way() -> None:
    async with metadata_server() as metadata:
        metadata.behave(never)
        async with asyncio.timeout(5), tokens_of(metadata, time.time):
            await until(lambda: len(metadata.asked) == 1)
