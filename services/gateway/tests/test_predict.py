"""A photo goes to inference unchanged and its answer comes back unchanged; whatever fails on the way has a status."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator

import pytest
from httpx import Response

from services.gateway.tests.conftest import LIMIT_BYTES, StartGateway
from services.gateway.tests.running_gateway import RunningGateway
from services.gateway.tests.scripted_upstream import PREDICTION, Received, ScriptedUpstream, answer, close

pytestmark = pytest.mark.anyio

PHOTO = bytes(range(256)) * 100
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
RETRIES = "catnet_upstream_retries_total"


async def post(gateway: RunningGateway, photo: bytes = PHOTO, **options: object) -> Response:
    headers = {"content-type": "image/jpeg", **options.pop("headers", {})}  # type: ignore[dict-item]
    return await gateway.http.post("/predict", content=photo, headers=headers, **options)  # type: ignore[arg-type]


def assert_problem(response: Response, status: int) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, object] = response.json()
    assert problem["status"] == status
    assert problem["instance"] == "/predict"
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem


def unused_url() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


async def never(received: Received, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


class TestForwarding:
    async def test_a_form_and_a_bare_body_both_arrive_as_the_photo_itself(
        self, gateway: RunningGateway, inference: ScriptedUpstream
    ) -> None:
        form = await gateway.http.post("/predict", files={"file": ("cat.jpg", PHOTO, "image/jpeg")})
        bare = await post(gateway)
        assert form.json() == bare.json() == PREDICTION
        assert [received.body for received in inference.received] == [PHOTO, PHOTO]
        assert {(received.method, received.target) for received in inference.received} == {("POST", "/predict")}

    async def test_the_request_id_and_the_trace_go_along(
        self, gateway: RunningGateway, inference: ScriptedUpstream
    ) -> None:
        headers = {"x-request-id": "mine-1", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        response = await post(gateway, headers=headers)
        sent = inference.received[0].headers
        assert response.headers["x-request-id"] == sent["x-request-id"] == "mine-1"
        assert sent["traceparent"].split("-")[1] == TRACE
        assert sent["traceparent"] != headers["traceparent"]

    async def test_the_deadline_goes_along(self, gateway: RunningGateway, inference: ScriptedUpstream) -> None:
        await post(gateway)
        assert 9000 < int(inference.received[0].headers["x-deadline-ms"]) <= 10_000

    async def test_nothing_else_of_the_client_goes_along(
        self, gateway: RunningGateway, inference: ScriptedUpstream
    ) -> None:
        await post(gateway, headers={"cookie": "a=b", "authorization": "Bearer secret", "x-deadline-ms": "1"})
        assert set(inference.received[0].headers) == {
            "host", "content-type", "content-length", "x-request-id", "traceparent", "x-deadline-ms",
        }  # fmt: skip

    @pytest.mark.parametrize("model", ["catnet-mlp", "a b/c?d=é&model=x", ""])
    async def test_the_model_goes_along(self, gateway: RunningGateway, inference: ScriptedUpstream, model: str) -> None:
        from urllib.parse import parse_qs, urlsplit

        await post(gateway, params={"model": model, "other": "1"})
        target = urlsplit(inference.received[0].target)
        assert target.path == "/predict"
        assert parse_qs(target.query, keep_blank_values=True) == {"model": [model]}

    async def test_a_large_photo_arrives_whole(self, start_gateway: StartGateway, inference: ScriptedUpstream) -> None:
        gateway = await start_gateway(max_upload_bytes=8_000_000)
        photo = random.Random(0).randbytes(5_000_000)
        assert (await post(gateway, photo)).status_code == 200
        assert inference.received[0].body == photo

    async def test_connections_to_inference_are_kept(
        self, gateway: RunningGateway, inference: ScriptedUpstream
    ) -> None:
        for _ in range(3):
            await post(gateway)
        assert [received.connection for received in inference.received] == [1, 1, 1]


class TestExplanations:
    async def test_the_photo_and_the_method_go_along(
        self, gateway: RunningGateway, inference: ScriptedUpstream
    ) -> None:
        response = await gateway.http.post(
            "/explain", files={"file": PHOTO}, params={"method": "occlusion", "model": "m", "other": "1"}
        )
        assert response.json() == PREDICTION
        assert inference.received[0].body == PHOTO
        assert inference.received[0].target == "/explain?model=m&method=occlusion"

    async def test_they_are_limited_by_themselves(
        self, start_gateway: StartGateway, inference: ScriptedUpstream
    ) -> None:
        gateway = await start_gateway(max_explanations=1, max_queue_seconds=0.05)
        arrived = asyncio.Event()

        async def hang_on_explanations(received: Received, writer: asyncio.StreamWriter) -> None:
            if received.target == "/explain":
                arrived.set()
                await asyncio.Event().wait()
            await answer(PREDICTION)(received, writer)

        inference.behave = hang_on_explanations
        first = asyncio.create_task(gateway.http.post("/explain", files={"file": PHOTO}))
        await asyncio.wait_for(arrived.wait(), 5)
        assert (await gateway.http.post("/explain", files={"file": PHOTO})).status_code == 429
        assert (await post(gateway)).status_code == 200
        first.cancel()


class TestTooMuchToDo:
    async def test_the_rest_is_refused_at_once_and_what_is_in_work_is_answered(
        self, start_gateway: StartGateway, inference: ScriptedUpstream
    ) -> None:
        gateway = await start_gateway(max_in_flight=2, max_queue=1, max_queue_seconds=10)
        arrived, go_on = asyncio.Semaphore(0), asyncio.Event()

        async def answer_later(received: Received, writer: asyncio.StreamWriter) -> None:
            if received.method == "POST":
                arrived.release()
                await go_on.wait()
            await answer(PREDICTION)(received, writer)

        inference.behave = answer_later
        at_work = [asyncio.create_task(post(gateway)) for _ in range(2)]
        for _ in at_work:
            await asyncio.wait_for(arrived.acquire(), 5)
        two_more = {asyncio.create_task(post(gateway)) for _ in range(2)}
        done, (waiting,) = await asyncio.wait(two_more, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        refused = done.pop().result()
        assert_problem(refused, 429)
        assert refused.headers["retry-after"] == "1"
        assert "connection" not in refused.headers
        assert await gateway.metric('catnet_requests_shed_total{reason="queue_full"}') == 1
        for path in ("/health", "/health/live", "/health/ready", "/", "/metrics"):
            assert (await gateway.http.get(path)).status_code == 200
        go_on.set()
        assert [response.status_code for response in await asyncio.gather(*at_work, waiting)] == [200] * 3

    async def test_what_inference_has_no_room_for_is_refused_here_too_and_counted(
        self, gateway: RunningGateway, inference: ScriptedUpstream
    ) -> None:
        inference.behave = answer({"status": 429}, status=429, content_type="application/problem+json")
        refused = await post(gateway)
        assert_problem(refused, 429)
        assert refused.headers["retry-after"] == "1"
        assert await gateway.metric('catnet_requests_shed_total{reason="inference_full"}') == 1

    async def test_the_connection_of_a_refused_body_goes_on(
        self, start_gateway: StartGateway, inference: ScriptedUpstream
    ) -> None:
        """The answer comes before the body; what is left of the body is not taken for the next request."""
        gateway = await start_gateway(max_in_flight=1, max_queue=0)
        arrived = asyncio.Event()

        async def wait(received: Received, writer: asyncio.StreamWriter) -> None:
            arrived.set()
            await asyncio.Event().wait()

        inference.behave = wait
        first = asyncio.create_task(post(gateway))
        await asyncio.wait_for(arrived.wait(), 5)
        reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
        writer.write(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: 90000\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert head.startswith(b"HTTP/1.1 429 ")
        assert b"connection: close" not in head.lower()
        await asyncio.wait_for(reader.readuntil(b"}"), 5)
        writer.write(b"GET /x HTTP/1.1\r\n\r\n".ljust(90_000) + b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 200 ")
        writer.close()
        first.cancel()

    async def test_slow_senders_keep_nobody_out(self, start_gateway: StartGateway) -> None:
        gateway = await start_gateway(max_in_flight=1, max_queue=0)
        writers = []
        for _ in range(20):
            _, writer = await asyncio.open_connection(gateway.host, gateway.port)
            writer.write(
                b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: 9\r\n\r\nabc"
            )
            writers.append(writer)
        assert (await post(gateway)).status_code == 200
        for writer in writers:
            writer.close()

    async def test_photos_take_no_more_memory_together_than_allowed(self, start_gateway: StartGateway) -> None:
        gateway = await start_gateway(max_uploads_bytes=60_000)
        reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
        head = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: 50001\r\n\r\n"
        writer.write(head + bytes(50_000))
        async with asyncio.timeout(5):
            while (response := await post(gateway)).status_code == 200:
                pass  # the bytes of the first are not all here yet
        assert_problem(response, 429)
        assert response.headers["retry-after"] == "1"
        assert await gateway.metric('catnet_requests_shed_total{reason="memory_full"}') == 1
        writer.write(b"x")
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 200 ")
        assert (await post(gateway)).status_code == 200
        writer.close()

    async def test_who_leaves_while_waiting_is_not_asked_for(
        self, start_gateway: StartGateway, inference: ScriptedUpstream
    ) -> None:
        gateway = await start_gateway(max_in_flight=1, max_queue=1, max_queue_seconds=10)
        arrived, go_on = asyncio.Event(), asyncio.Event()

        async def answer_later(received: Received, writer: asyncio.StreamWriter) -> None:
            arrived.set()
            await go_on.wait()
            await answer(PREDICTION)(received, writer)

        inference.behave = answer_later
        first = asyncio.create_task(post(gateway))
        await asyncio.wait_for(arrived.wait(), 5)
        _, writer = await asyncio.open_connection(gateway.host, gateway.port)
        writer.write(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: 3\r\n\r\nabc")
        writer.close()
        left = 'catnet_http_requests_total{code="499",method="POST",route="/predict",service="gateway"}'
        async with asyncio.timeout(5):
            while left not in (await gateway.http.get("/metrics")).text:  # noqa: ASYNC110 - counted in another task
                await asyncio.sleep(0.01)
        go_on.set()
        assert (await first).status_code == 200
        assert len(inference.received) == 1


class TestCircuit:
    async def test_an_inference_that_is_away_is_left_alone_after_some_failures(
        self, start_gateway: StartGateway
    ) -> None:
        gateway = await start_gateway(inference_url=unused_url())
        statuses = [(await post(gateway)).status_code for _ in range(8)]
        assert statuses == [502] * 5 + [503] * 3
        response = await post(gateway)
        assert_problem(response, 503)
        assert response.headers["retry-after"] == "1"
        assert await gateway.metric('catnet_circuit_state{target="inference"}') == 2
        assert await gateway.metric('catnet_circuit_state{target="monitor"}') == 0

    async def test_it_is_used_again_once_it_answers(self, gateway: RunningGateway, inference: ScriptedUpstream) -> None:
        inference.behave = close
        for _ in range(6):
            await post(gateway)
        inference.behave = answer(PREDICTION)
        async with asyncio.timeout(10):
            while (await post(gateway)).status_code != 200:  # noqa: ASYNC110 - it rests for a second
                await asyncio.sleep(0.05)
        assert await gateway.metric('catnet_circuit_state{target="inference"}') == 0


class TestAnswers:
    async def test_a_problem_of_inference_is_passed_on(
        self, gateway: RunningGateway, inference: ScriptedUpstream
    ) -> None:
        problem = {"type": "urn:x", "title": "x", "status": 422, "detail": "broken", "instance": "/predict"}
        inference.behave = answer({**problem, "request_id": "r"}, status=422, content_type="application/problem+json")
        response = await post(gateway, headers={"x-request-id": "r"})
        assert assert_problem(response, 422)["detail"] == "broken"

    async def test_not_ready_is_passed_on_with_its_retry_after(
        self, gateway: RunningGateway, inference: ScriptedUpstream
    ) -> None:
        body = {"status": 503, "instance": "/predict", "request_id": "r"}
        inference.behave = answer(
            body, status=503, content_type="application/problem+json", headers=("retry-after: 1",)
        )
        response = await post(gateway, headers={"x-request-id": "r"})
        assert_problem(response, 503)
        assert response.headers["retry-after"] == "1"
        assert len(inference.received) == 1

    @pytest.mark.parametrize(
        "behave",
        [
            answer(b"<html>", content_type="text/html"),
            answer(b"<html>", status=503, content_type="text/html"),
            answer({}, content_type="text/html"),
            answer(b"{broken"),
            answer([1], status=422, content_type="application/problem+json"),
            answer({"a": "x" * 5_000_000}),
            answer(b'{"a": 1}', length=100),
            answer(b"", status=302, headers=("location: http://127.0.0.1/",)),
        ],
        ids=["html", "html 503", "json as html", "not json", "no object", "too large", "broken off", "redirect"],
    )
    async def test_an_answer_that_cannot_be_used_is_a_502(
        self, gateway: RunningGateway, inference: ScriptedUpstream, behave: object
    ) -> None:
        inference.behave = behave  # type: ignore[assignment]
        assert_problem(await post(gateway), 502)
        assert len(inference.received) == 1
        inference.behave = answer(PREDICTION)
        assert (await post(gateway)).json() == PREDICTION


class TestInferenceAway:
    async def test_refused_connections_are_retried_once_and_then_a_502(self, start_gateway: StartGateway) -> None:
        gateway = await start_gateway(inference_url=unused_url())
        assert await gateway.metric(RETRIES) == 0
        problem = assert_problem(await post(gateway), 502)
        assert "127.0.0.1" not in str(problem)
        assert await gateway.metric(RETRIES) == 1

    @pytest.mark.parametrize("calls_before", [0, 1], ids=["new", "kept"])
    async def test_a_connection_that_was_closed_is_retried(
        self, gateway: RunningGateway, inference: ScriptedUpstream, calls_before: int
    ) -> None:
        """As it is where a replica is killed."""
        for _ in range(calls_before):
            await post(gateway)

        async def close_the_first(received: Received, writer: asyncio.StreamWriter) -> None:
            await (close if received.connection == 1 else answer(PREDICTION))(received, writer)

        inference.behave = close_the_first
        assert (await post(gateway)).json() == PREDICTION
        assert [received.connection for received in inference.received] == [1] * calls_before + [1, 2]
        assert inference.received[-1].body == PHOTO
        assert await gateway.metric(RETRIES) == 1

    async def test_a_photo_that_the_service_fails_on_is_sent_twice_at_the_most(
        self, gateway: RunningGateway, inference: ScriptedUpstream
    ) -> None:
        inference.behave = close
        assert_problem(await post(gateway), 502)
        assert len(inference.received) == 2


class TestDeadline:
    async def test_inference_out_of_time_is_a_504(
        self, start_gateway: StartGateway, inference: ScriptedUpstream
    ) -> None:
        gateway = await start_gateway(request_timeout_seconds=0.2)
        inference.behave = never
        assert_problem(await post(gateway), 504)
        await asyncio.wait_for(inference.lost.wait(), 5)

    async def test_a_body_that_drips_is_a_408(self, start_gateway: StartGateway, inference: ScriptedUpstream) -> None:
        gateway = await start_gateway(request_timeout_seconds=0.3)

        reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
        writer.write(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: 999\r\n\r\n")

        async def drip() -> None:
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert head.startswith(b"HTTP/1.1 408 ")
        assert b"connection: close" in head.lower()
        dripping.cancel()
        writer.close()
        assert inference.received == []

    async def test_the_time_for_the_body_is_not_given_again_to_inference(
        self, start_gateway: StartGateway, inference: ScriptedUpstream
    ) -> None:
        gateway = await start_gateway(request_timeout_seconds=2.0)

        async def late() -> AsyncIterator[bytes]:
            await asyncio.sleep(0.3)
            yield PHOTO

        await gateway.http.post("/predict", content=late(), headers={"content-type": "image/jpeg"})
        assert int(inference.received[0].headers["x-deadline-ms"]) < 1900


class TestClientLeaves:
    async def test_the_call_to_inference_is_cancelled(
        self, gateway: RunningGateway, inference: ScriptedUpstream
    ) -> None:
        arrived = asyncio.Event()

        async def wait(received: Received, writer: asyncio.StreamWriter) -> None:
            arrived.set()
            await asyncio.Event().wait()

        inference.behave = wait
        _, writer = await asyncio.open_connection(gateway.host, gateway.port)
        writer.write(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: 3\r\n\r\nabc")
        await asyncio.wait_for(arrived.wait(), 5)
        writer.close()
        await asyncio.wait_for(inference.lost.wait(), 5)
        left = 'catnet_http_requests_total{code="499",method="POST",route="/predict",service="gateway"}'
        async with asyncio.timeout(5):
            while left not in (await gateway.http.get("/metrics")).text:  # noqa: ASYNC110 - counted in another task
                await asyncio.sleep(0.01)

    async def test_a_body_that_breaks_off_is_not_forwarded(
        self, gateway: RunningGateway, inference: ScriptedUpstream
    ) -> None:
        _, writer = await asyncio.open_connection(gateway.host, gateway.port)
        writer.write(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: 9\r\n\r\nabc")
        writer.close()
        await writer.wait_closed()
        assert (await post(gateway)).status_code == 200
        assert [received.body for received in inference.received] == [PHOTO]


class TestRefusals:
    async def test_a_declared_length_over_the_limit_is_answered_before_the_body_and_never_reset(
        self, gateway: RunningGateway, inference: ScriptedUpstream
    ) -> None:
        reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
        head = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: 3000000\r\n\r\n"
        writer.write(head)
        status = await asyncio.wait_for(reader.readline(), 5)
        assert status.startswith(b"HTTP/1.1 413 ")
        for _ in range(30):
            writer.write(bytes(100_000))
            await writer.drain()
        rest = await asyncio.wait_for(reader.read(), 5)
        assert b"connection: close" in rest.lower()
        assert rest.endswith(b"}")
        assert inference.received == []
        writer.close()

    async def test_a_client_that_asks_first_is_told_before_it_sends(self, gateway: RunningGateway) -> None:
        reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
        writer.write(
            b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\nexpect: 100-continue\r\n"
            b"content-length: 3000000\r\n\r\n"
        )
        everything = await asyncio.wait_for(reader.read(), 5)
        assert everything.startswith(b"HTTP/1.1 413 ")
        writer.close()

    async def test_an_undeclared_length_is_counted_while_it_streams(
        self, gateway: RunningGateway, inference: ScriptedUpstream
    ) -> None:
        async def stream() -> AsyncIterator[bytes]:
            for _ in range(3 * LIMIT_BYTES // 10_000):
                yield bytes(10_000)

        response = await gateway.http.post("/predict", content=stream(), headers={"content-type": "image/jpeg"})
        assert_problem(response, 413)
        assert inference.received == []

    async def test_a_refused_body_is_not_read_for_ever(self, start_gateway: StartGateway) -> None:
        gateway = await start_gateway(request_timeout_seconds=0.3)
        reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
        writer.write(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 9\r\n\r\nabc")
        everything = await asyncio.wait_for(reader.read(), 5)
        assert everything.startswith(b"HTTP/1.1 415 ")
        writer.close()

    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            ({}, 400),
            ({"files": {"photo": b"x"}}, 400),
            ({"files": {"file": b""}}, 400),
            ({"files": [("file", b"x"), ("file", b"y")]}, 400),
            ({"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 400),
            ({"data": {"file": "x"}}, 415),
            ({"content": b"x", "headers": {"content-type": "text/plain"}}, 415),
            ({"content": b"x"}, 415),
            ({"content": b"x" * (LIMIT_BYTES + 1), "headers": {"content-type": "image/png"}}, 413),
        ],
        ids=[
            "no body",
            "wrong field",
            "empty file",
            "two files",
            "broken form",
            "url-encoded",
            "text",
            "untyped",
            "large",
        ],
    )
    async def test_bad_input_has_its_status_and_reaches_nobody(
        self, gateway: RunningGateway, inference: ScriptedUpstream, request_: dict[str, object], status: int
    ) -> None:
        assert_problem(await gateway.http.post("/predict", **request_), status)  # type: ignore[arg-type]
        assert inference.received == []
        assert (await post(gateway)).status_code == 200

    async def test_a_wrong_method_is_a_405(self, gateway: RunningGateway) -> None:
        response = await gateway.http.get("/predict")
        assert_problem(response, 405)
        assert response.headers["allow"] == "POST"

    @pytest.mark.parametrize("request_", [{"files": {"photo": b"x"}}, {}], ids=["read", "absent"])
    async def test_a_body_that_is_not_in_the_way_leaves_the_connection_open(
        self, gateway: RunningGateway, request_: dict[str, object]
    ) -> None:
        response = await gateway.http.post("/predict", **request_)  # type: ignore[arg-type]
        assert_problem(response, 400)
        assert "connection" not in response.headers

    async def test_mutated_requests_get_an_answer_and_never_a_5xx(self, gateway: RunningGateway) -> None:
        rng = random.Random(0)
        boundary = "b0undary"
        form = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'.encode()
            + PHOTO[:300]
            + f"\r\n--{boundary}--\r\n".encode()
        )
        statuses = set()
        for _ in range(500):
            body = bytearray(form)
            for _ in range(rng.randint(1, 4)):
                at = rng.randrange(len(body))
                body[at : at + rng.randint(0, 10)] = rng.randbytes(rng.randint(0, 5))
            response = await gateway.http.post(
                "/predict",
                content=bytes(body),
                headers={"content-type": f"multipart/form-data; boundary={boundary}"},
            )
            statuses.add(response.status_code)
        assert statuses == {200, 400}
