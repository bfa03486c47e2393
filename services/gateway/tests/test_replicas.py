"""A name with several addresses is a service with several replicas: each gets its share, and one may be gone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from gateway.http_transport import HttpTransport
from gateway.transport import NotAnswered

from services.gateway.tests.scripted_upstream import Received, ScriptedUpstream, scripted_upstream

pytestmark = pytest.mark.anyio

ADDRESSES = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
READY = "/health/ready"


@pytest.fixture
async def replica() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as upstream:
        yield upstream


@pytest.fixture
async def other_replica(replica: ScriptedUpstream) -> AsyncIterator[ScriptedUpstream]:
    """On the same port of the second address; nobody is at the third."""
    other = ScriptedUpstream()
    async with await asyncio.start_server(other.serve, ADDRESSES[1], int(replica.url.rpartition(":")[2])):
        yield other


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The addresses of each name, for a test to change."""
    addresses: dict[str, list[str]] = {}

    async def getaddrinfo(loop: object, host: str, port: int, **options: Any) -> list[Any]:
        if host not in addresses:
            raise socket.gaierror("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses[host]]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    for address in ADDRESSES:
        addresses[address] = [address]
    return addresses


def transport_to(name: str, replica: ScriptedUpstream) -> HttpTransport:
    return HttpTransport(replica.url.replace("127.0.0.1", name), connections=4)


async def test_calls_go_to_the_addresses_in_turn_on_connections_that_are_kept(
    replica: ScriptedUpstream, other_replica: ScriptedUpstream, names: dict[str, list[str]]
) -> None:
    names["inference"] = ADDRESSES[:2]
    async with transport_to("inference", replica) as transport:
        for _ in range(10):
            assert (await transport.send(READY, {})).status == 200
    for each in (replica, other_replica):
        assert [received.connection for received in each.received] == [1] * 5


async def test_an_address_where_nobody_is_costs_no_call(replica: ScriptedUpstream, names: dict[str, list[str]]) -> None:
    names["inference"] = [ADDRESSES[0], ADDRESSES[2]]
    async with transport_to("inference", replica) as transport:
        for _ in range(4):
            assert (await transport.send(READY, {})).status == 200


async def test_where_nobody_is_at_any_address_and_where_there_is_none_the_call_was_not_answered(
    replica: ScriptedUpstream, names: dict[str, list[str]]
) -> None:
    names["gone"] = ADDRESSES[1:]
    for name in ("gone", "unknown"):
        async with transport_to(name, replica) as transport:
            with pytest.raises(NotAnswered):
                await transport.send(READY, {})


async def test_a_replica_that_joins_is_found_after_the_next_connection_that_fails(
    replica: ScriptedUpstream, names: dict[str, list[str]]
) -> None:
    names["inference"] = ADDRESSES[2:]
    async with transport_to("inference", replica) as transport:
        with pytest.raises(NotAnswered):
            await transport.send(READY, {})
        names["inference"] = ADDRESSES[:1]
        assert (await transport.send(READY, {})).status == 200


async def test_while_names_cannot_be_looked_up_the_addresses_known_serve_on(
    replica: ScriptedUpstream, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.http_transport.ADDRESSES_SECONDS", 0)
    names["inference"] = ADDRESSES[:1]
    async with transport_to("inference", replica) as transport:
        assert (await transport.send(READY, {})).status == 200
        del names["inference"]
        assert (await transport.send(READY, {})).status == 200


async def test_a_replica_that_hangs_holds_its_share_and_the_other_answers_the_rest(
    replica: ScriptedUpstream, other_replica: ScriptedUpstream, names: dict[str, list[str]]
) -> None:
    names["inference"] = ADDRESSES[:2]
    hanging = asyncio.Event()

    async def hang(received: Received, writer: asyncio.StreamWriter) -> None:
        hanging.set()
        await asyncio.Event().wait()

    other_replica.behave = hang
    async with transport_to("inference", replica) as transport:
        calls = [asyncio.create_task(transport.send(READY, {})) for _ in range(2)]
        async with asyncio.timeout(5):
            await hanging.wait()
            _, waiting = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            for _ in range(20):
                await transport.send(READY, {})
        for call in waiting:
            call.cancel()
    assert len(other_replica.received) == 1


@pytest.mark.parametrize(("addresses", "later"), [(ADDRESSES[:2], 0), (ADDRESSES[1:2], 4)], ids=["one of two", "alone"])
async def test_a_replica_whose_call_ran_out_of_time_rests_while_there_is_another(
    replica: ScriptedUpstream,
    other_replica: ScriptedUpstream,
    names: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    addresses: list[str],
    later: int,
) -> None:
    monkeypatch.setattr("gateway.replica.SILENCE_SECONDS", 0.05)
    names["inference"] = addresses

    async def hang(received: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    other_replica.behave = hang
    async with transport_to("inference", replica) as transport:
        with pytest.raises(TimeoutError):
            for _ in addresses:
                async with asyncio.timeout(0.2):
                    await transport.send(READY, {})
        await asyncio.wait_for(other_replica.lost.wait(), 5)
        other_replica.lost.clear()
        other_replica.behave = replica.behave
        for _ in range(4):
            assert (await transport.send(READY, {})).status == 200
    assert len(other_replica.received) == 1 + later
