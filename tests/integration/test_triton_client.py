"""A client that strangers wrote for the Open Inference Protocol works against inference as it is."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import redis
import tritonclient.http as triton
from events.names import STREAM
from nnlib.artifact import load_model
from nnlib.preprocessing import preprocess
from preflight import free_port
from redis_server import ROOT, RedisServer
from tritonclient.utils import InferenceServerException

from tests.pictures import photo
from tests.processes import ServiceProcess, run_redis, wait_until

MODEL = "catnet-mlp"
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with run_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def inference(stream: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    log = tmp_path_factory.mktemp("inference") / "inference.log"
    process = ServiceProcess("inference", free_port(), {"REDIS_URL": stream.url}, log)
    process.start()
    process.wait_ready()
    yield process
    process.stop()


@pytest.fixture
def client(inference: ServiceProcess) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(inference.url.removeprefix("http://"), concurrency=4) as client:
        yield client


@pytest.fixture(scope="module")
def photos() -> list[bytes]:
    return [photo(seed) for seed in range(3)]


@pytest.fixture(scope="module")
def probabilities(photos: list[bytes]) -> Any:
    pixels = np.stack([preprocess(data).pixels for data in photos])
    return load_model(ROOT / "models" / MODEL / "1").predict(pixels).cat_probability[:, None]


def labels_of(probabilities: Any) -> list[bytes]:
    return [b"cat" if probability >= 0.5 else b"non-cat" for probability in probabilities[:, 0]]


def pixels_input(photos: list[bytes], datatype: str, *, binary: bool) -> triton.InferInput:
    pixels = np.stack([preprocess(data).pixels for data in photos])
    tensor = triton.InferInput("pixels", pixels.shape, datatype)
    tensor.set_data_from_numpy(pixels.astype(np.float32) if datatype == "FP32" else pixels, binary_data=binary)
    return tensor


def image_input(elements: list[bytes], *, binary: bool) -> triton.InferInput:
    tensor = triton.InferInput("image", [len(elements)], "BYTES")
    tensor.set_data_from_numpy(np.array(elements, dtype=np.object_), binary_data=binary)
    return tensor


def test_the_server_and_its_models_are_described(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    assert client.is_model_ready(MODEL)
    assert client.is_model_ready(MODEL, "1")
    assert not client.is_model_ready("dognet")
    assert not client.is_model_ready(MODEL, "99")
    metadata = client.get_model_metadata(MODEL, "1")
    assert [tensor["name"] for tensor in metadata["inputs"]] == ["pixels", "image"]
    assert [tensor["name"] for tensor in metadata["outputs"]] == ["cat_probability", "label"]


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("datatype", ["UINT8", "FP32"])
def test_pixels(
    client: triton.InferenceServerClient, photos: list[bytes], probabilities: Any, datatype: str, binary: bool
) -> None:
    result = client.infer(MODEL, [pixels_input(photos, datatype, binary=binary)], request_id="seven")
    np.testing.assert_allclose(result.as_numpy("cat_probability"), probabilities, atol=TOLERANCE)
    assert result.as_numpy("cat_probability").dtype == np.float32
    assert result.as_numpy("label").tolist() == labels_of(probabilities)
    assert result.get_response()["id"] == "seven"
    assert result.get_response()["model_version"] == "1"


def test_images_as_bytes(client: triton.InferenceServerClient, photos: list[bytes], probabilities: Any) -> None:
    result = client.infer(MODEL, [image_input(photos, binary=True)], model_version="1")
    np.testing.assert_allclose(result.as_numpy("cat_probability"), probabilities, atol=TOLERANCE)


@pytest.mark.parametrize("binary", [True, False])
def test_images_as_base64(
    client: triton.InferenceServerClient, photos: list[bytes], probabilities: Any, binary: bool
) -> None:
    result = client.infer(MODEL, [image_input([base64.b64encode(data) for data in photos], binary=binary)])
    np.testing.assert_allclose(result.as_numpy("cat_probability"), probabilities, atol=TOLERANCE)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("names", [["label"], ["cat_probability"], ["label", "cat_probability"]])
def test_chosen_outputs(
    client: triton.InferenceServerClient, photos: list[bytes], probabilities: Any, names: list[str], binary: bool
) -> None:
    outputs = [triton.InferRequestedOutput(name, binary_data=binary) for name in names]
    result = client.infer(MODEL, [pixels_input(photos, "UINT8", binary=True)], outputs=outputs)
    assert [output["name"] for output in result.get_response()["outputs"]] == names
    if "label" in names:
        assert np.array(result.as_numpy("label"), dtype=np.bytes_).tolist() == labels_of(probabilities)
    if "cat_probability" in names:
        np.testing.assert_allclose(result.as_numpy("cat_probability"), probabilities, atol=TOLERANCE)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_compressed_requests(
    client: triton.InferenceServerClient, photos: list[bytes], probabilities: Any, algorithm: str, binary: bool
) -> None:
    tensors = [pixels_input(photos, "FP32", binary=binary)]
    result = client.infer(MODEL, tensors, request_compression_algorithm=algorithm)
    np.testing.assert_allclose(result.as_numpy("cat_probability"), probabilities, atol=TOLERANCE)


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_who_takes_compressed_answers_gets_one_as_it_is(
    client: triton.InferenceServerClient, photos: list[bytes], probabilities: Any, algorithm: str
) -> None:
    result = client.infer(MODEL, [image_input(photos, binary=True)], response_compression_algorithm=algorithm)
    np.testing.assert_allclose(result.as_numpy("cat_probability"), probabilities, atol=TOLERANCE)


def test_requests_at_once_get_their_own_answers(
    client: triton.InferenceServerClient, photos: list[bytes], probabilities: Any
) -> None:
    asked = [client.async_infer(MODEL, [image_input([photos[i % 3]], binary=True)]) for i in range(12)]
    for i, one in enumerate(asked):
        expected = probabilities[i % 3 : i % 3 + 1]
        np.testing.assert_allclose(one.get_result().as_numpy("cat_probability"), expected, atol=TOLERANCE)


def test_parameters_of_the_client_are_tolerated(client: triton.InferenceServerClient, photos: list[bytes]) -> None:
    tensors = [pixels_input(photos, "UINT8", binary=True)]
    client.infer(MODEL, tensors, priority=1, timeout=1_000_000, sequence_id=5, parameters={"own": "value"})


@pytest.mark.parametrize(
    ("model", "elements", "status"),
    [("dognet", [b""], "404"), (MODEL, [b"I am a cat"], "415"), (MODEL, [photo()[:2000]], "422")],
)
def test_errors_arrive_with_their_text(
    client: triton.InferenceServerClient, model: str, elements: list[bytes], status: str
) -> None:
    with pytest.raises(InferenceServerException) as error:
        client.infer(model, [image_input(elements, binary=True)])
    assert error.value.status() == status
    assert len(error.value.message()) > 20
    assert "decoding the response" not in error.value.message()


def test_every_predicted_image_is_an_event(
    client: triton.InferenceServerClient, stream: RedisServer, photos: list[bytes]
) -> None:
    with redis.Redis.from_url(stream.url, decode_responses=True) as events:
        before = events.xlen(STREAM)
        client.infer(MODEL, [image_input(photos, binary=True)])
        client.infer(MODEL, [pixels_input(photos, "UINT8", binary=True)])
        wait_until(lambda: events.xlen(STREAM) == before + 6, "six events are in the stream")
        formats = [fields["image_format"] for _, fields in events.xrevrange(STREAM, count=6)]
    assert sorted(formats) == ["JPEG"] * 3 + ["PIXELS"] * 3
