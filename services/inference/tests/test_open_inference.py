"""The Open Inference Protocol as its text says, asked with plain HTTP."""

from __future__ import annotations

import base64
import gzip
import json
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from inference.app import create_app
from inference.errors import BodyTooLarge, InvalidInferRequest
from inference.open_inference.content_encoding import decoded
from inference.open_inference.infer_request import read_infer_request
from inference.settings import InferenceSettings
from nnlib.artifact import load_model
from nnlib.preprocessing import preprocess

from services.inference.tests.conftest import MakeModel, encoded
from services.inference.tests.memory_stream import MemoryStream

INFER = "/v2/models/catnet-mlp/infer"
PIXELS = np.random.default_rng(7).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)


@pytest.fixture
def client(settings: InferenceSettings, stream: MemoryStream, make_model: MakeModel) -> Iterator[TestClient]:
    make_model("catnet-mlp", "2", seed=5)
    settings = settings.model_copy(update={"max_batch_images": 3, "max_image_pixels": 80_000})
    with TestClient(create_app(settings, stream=stream)) as client:
        yield client


def expected(settings: InferenceSettings, pixels: np.ndarray[Any, Any], version: str = "2") -> Any:
    """The probability of each picture; those of a batch differ in the last digits of a float32."""
    model = load_model(settings.models_dir / "catnet-mlp" / version)
    return pytest.approx([float(model.predict(picture[None]).cat_probability[0]) for picture in pixels], abs=1e-5)


def pixels_input(pixels: np.ndarray[Any, Any] = PIXELS, **changes: object) -> dict[str, object]:
    return {
        "name": "pixels", "datatype": "UINT8", "shape": list(pixels.shape), "data": pixels.ravel().tolist(), **changes,
    }  # fmt: skip


def image_input(*images: bytes, **changes: object) -> dict[str, object]:
    data = [base64.b64encode(image).decode() for image in images]
    return {"name": "image", "datatype": "BYTES", "shape": [len(images)], "data": data, **changes}


def outputs(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {output["name"]: output for output in answer.json()["outputs"]}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2", {"name": "catnet", "version": "0.1.0", "extensions": ["binary_tensor_data"]}),
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models/catnet-mlp/ready", {"name": "catnet-mlp", "ready": True}),
        ("/v2/models/catnet-mlp/versions/1/ready", {"name": "catnet-mlp", "ready": True}),
    ],
)
def test_states_are_told_with_a_slash_at_the_end_or_without(
    client: TestClient, path: str, slash: str, body: dict[str, object]
) -> None:
    answer = client.get(path + slash, follow_redirects=False)
    assert (answer.status_code, answer.json()) == (200, body)


@pytest.mark.parametrize("path", ["/v2/models/catnet-mlp", "/v2/models/catnet-mlp/versions/1/"])
def test_metadata_of_a_model_names_its_tensors(client: TestClient, path: str) -> None:
    assert client.get(path).json() == {
        "name": "catnet-mlp",
        "versions": ["1", "2"],
        "platform": "catnet_nnlib",
        "inputs": [
            {"name": "pixels", "datatype": "UINT8", "shape": [-1, 64, 64, 3]},
            {"name": "image", "datatype": "BYTES", "shape": [-1]},
        ],
        "outputs": [
            {"name": "cat_probability", "datatype": "FP32", "shape": [-1, 1]},
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
        ],
    }


def test_the_server_is_not_ready_while_it_drains(client: TestClient) -> None:
    client.app.state.health.draining.set()  # type: ignore[attr-defined]
    answer = client.get("/v2/health/ready")
    assert answer.status_code == 503
    assert answer.json()["error"]
    assert client.get("/v2/health/live").status_code == 200


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("datatype", ["UINT8", "FP32"])
def test_pixels_are_predicted_in_their_order(
    client: TestClient, settings: InferenceSettings, stream: MemoryStream, datatype: str, nested: bool
) -> None:
    pixels = PIXELS.astype(np.float32) if datatype == "FP32" else PIXELS
    data = (pixels if nested else pixels.ravel()).tolist()
    answer = client.post(INFER, json={"id": "a-7", "inputs": [pixels_input(datatype=datatype, data=data)]})
    probabilities = [event.cat_probability for event in stream.events]
    assert probabilities == expected(settings, PIXELS)
    assert answer.json() == {
        "model_name": "catnet-mlp",
        "model_version": "2",
        "id": "a-7",
        "outputs": [
            {"name": "cat_probability", "datatype": "FP32", "shape": [3, 1], "data": probabilities},
            {"name": "label", "datatype": "BYTES", "shape": [3],
             "data": ["cat" if p >= 0.5 else "non-cat" for p in probabilities]},
        ],
    }  # fmt: skip
    assert {(event.image_format, event.image_width, event.image_bytes) for event in stream.events} == {
        ("PIXELS", 64, 12_288)
    }


def test_fractions_of_fp32_are_rounded_to_whole_pixels(client: TestClient, settings: InferenceSettings) -> None:
    near = (PIXELS[:1] + np.random.default_rng(1).uniform(-0.4, 0.4, PIXELS[:1].shape)).clip(0, 255)
    answer = client.post(INFER, json={"inputs": [pixels_input(near, datatype="FP32")]})
    assert outputs(answer)["cat_probability"]["data"] == expected(settings, PIXELS[:1])


def test_images_are_predicted_as_post_predict_does_and_published(
    client: TestClient, settings: InferenceSettings, stream: MemoryStream
) -> None:
    images = [encoded(100, 80, "PNG"), encoded(64, 64, "JPEG")]
    answer = client.post(INFER, json={"inputs": [image_input(*images)]}, headers={"X-Request-ID": "r-1"})
    alone = [client.post("/predict", content=image).json() for image in images]
    probabilities = outputs(answer)["cat_probability"]["data"]
    assert probabilities == pytest.approx([body["cat_probability"] for body in alone], abs=1e-5)
    assert outputs(answer)["label"]["data"] == [body["label"] for body in alone]
    first, second = stream.events[:2]
    assert (first.image_format, first.image_width, first.image_bytes) == ("PNG", 100, len(images[0]))
    assert (second.image_format, second.request_id) == ("JPEG", "r-1")
    assert first.prediction_id != second.prediction_id
    assert probabilities == expected(settings, np.stack([preprocess(image).pixels for image in images]))


def test_base64_may_have_line_breaks(client: TestClient) -> None:
    text = base64.encodebytes(encoded(64, 64, "PNG")).decode()
    assert "\n" in text
    assert client.post(INFER, json={"inputs": [image_input(b"", data=[text])]}).status_code == 200


def test_a_version_is_chosen_by_the_address(client: TestClient, settings: InferenceSettings) -> None:
    for version in ("1", "2"):
        path = f"/v2/models/catnet-mlp/versions/{version}/infer/"
        answer = client.post(path, json={"inputs": [pixels_input()]})
        assert answer.json()["model_version"] == version
        assert outputs(answer)["cat_probability"]["data"] == expected(settings, PIXELS, version)


@pytest.mark.parametrize("names", [["label"], ["cat_probability"], ["label", "cat_probability"]])
def test_only_the_chosen_outputs_are_answered_in_their_order(client: TestClient, names: list[str]) -> None:
    asked = {"inputs": [pixels_input()], "outputs": [{"name": name} for name in names]}
    assert list(outputs(client.post(INFER, json=asked))) == names


def test_parameters_of_others_are_tolerated(client: TestClient) -> None:
    parameters = {"priority": 3, "anything": "at all", "timeout": 5}
    asked = {
        "inputs": [pixels_input(parameters=parameters)],
        "outputs": [{"name": "label", "parameters": parameters}],
        "parameters": parameters,
    }
    assert client.post(INFER, json=asked).status_code == 200


def binary_request(tensor: dict[str, object], data: bytes, **fields: object) -> tuple[bytes, dict[str, str]]:
    header = json.dumps({"inputs": [tensor], **fields}).encode()
    return header + data, {"Inference-Header-Content-Length": str(len(header))}


def read_binary(answer: Any) -> tuple[dict[str, Any], bytes]:
    assert answer.status_code == 200, answer.text
    length = int(answer.headers["Inference-Header-Content-Length"])
    return json.loads(answer.content[:length]), answer.content[length:]


@pytest.mark.parametrize("datatype", ["UINT8", "FP32"])
def test_binary_pixels_are_answered_in_binary_where_that_is_wanted(
    client: TestClient, settings: InferenceSettings, stream: MemoryStream, datatype: str
) -> None:
    data = PIXELS.astype("<f4" if datatype == "FP32" else "u1").tobytes()
    tensor = {
        "name": "pixels", "datatype": datatype, "shape": [3, 64, 64, 3], "parameters": {"binary_data_size": len(data)},
    }  # fmt: skip
    body, headers = binary_request(tensor, data, parameters={"binary_data_output": True})
    header, binary = read_binary(client.post(INFER, content=body, headers=headers))
    probabilities = [event.cat_probability for event in stream.events]
    assert probabilities == expected(settings, PIXELS)
    labels = b"".join(
        struct.pack("<I", len(label)) + label for label in (b"cat" if p >= 0.5 else b"non-cat" for p in probabilities)
    )
    assert header["outputs"] == [
        {"name": "cat_probability", "datatype": "FP32", "shape": [3, 1], "parameters": {"binary_data_size": 12}},
        {"name": "label", "datatype": "BYTES", "shape": [3], "parameters": {"binary_data_size": len(labels)}},
    ]
    assert np.frombuffer(binary[:12], "<f4").tolist() == np.float32(probabilities).tolist()
    assert binary[12:] == labels


def test_each_output_may_be_binary_or_not(client: TestClient) -> None:
    asked = {
        "inputs": [pixels_input()],
        "outputs": [{"name": "label", "parameters": {"binary_data": True}}, {"name": "cat_probability"}],
    }
    header, binary = read_binary(client.post(INFER, json=asked))
    assert header["outputs"][0]["parameters"] == {"binary_data_size": len(binary)}
    assert len(header["outputs"][1]["data"]) == 3


@pytest.mark.parametrize("as_base64", [True, False])
def test_binary_images_may_be_bare_or_base64(client: TestClient, stream: MemoryStream, as_base64: bool) -> None:
    images = [encoded(70, 60, "PNG"), encoded(64, 64, "JPEG")]
    elements = [base64.b64encode(image) if as_base64 else image for image in images]
    data = b"".join(struct.pack("<I", len(element)) + element for element in elements)
    tensor = {"name": "image", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": len(data)}}
    body, headers = binary_request(tensor, data)
    assert client.post(INFER, content=body, headers=headers).status_code == 200
    assert [event.image_format for event in stream.events] == ["PNG", "JPEG"]


COMPRESS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress, "GZIP": gzip.compress}


@pytest.mark.parametrize("encoding", COMPRESS)
def test_a_compressed_body_is_read_as_if_it_were_bare(
    client: TestClient, settings: InferenceSettings, encoding: str
) -> None:
    data = PIXELS.tobytes()
    tensor = {
        "name": "pixels", "datatype": "UINT8", "shape": [3, 64, 64, 3], "parameters": {"binary_data_size": len(data)},
    }  # fmt: skip
    body, length_of_json = binary_request(tensor, data)  # the length is that before the compression
    headers = {**length_of_json, "Content-Encoding": encoding}
    answer = client.post(INFER, content=COMPRESS[encoding](body), headers=headers)
    assert outputs(answer)["cat_probability"]["data"] == expected(settings, PIXELS)


def error_of(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    (message,) = answer.json().values()
    assert list(answer.json()) == ["error"]
    assert isinstance(message, str)
    return message


BAD_INPUTS: dict[str, object] = {
    "none": [],
    "an object": {},
    "a word": "pixels",
    "a number among them": [5],
    "two": [pixels_input(), image_input(b"")],
    "an unknown name": [pixels_input(name="picture")],
    "no name": [pixels_input(name=None)],
    "a list as name": [pixels_input(name=[])],
    "another datatype": [pixels_input(datatype="FP64")],
    "a number as datatype": [pixels_input(datatype=7)],
    "three dimensions": [pixels_input(shape=[3, 64, 64])],
    "four channels": [pixels_input(shape=[3, 64, 64, 4])],
    "a negative batch": [pixels_input(shape=[-1, 64, 64, 3])],
    "a truth as batch": [pixels_input(shape=[True, 64, 64, 3])],
    "an empty batch": [pixels_input(shape=[0, 64, 64, 3], data=[])],
    "a batch of astronomers": [pixels_input(shape=[10**30, 64, 64, 3])],
    "too large a batch": [pixels_input(np.concatenate([PIXELS, PIXELS]))],
    "a word as shape": [pixels_input(shape="3")],
    "one number too few": [pixels_input(data=PIXELS.ravel().tolist()[:-1])],
    "above the range": [pixels_input(data=[256] * PIXELS.size)],
    "below the range": [pixels_input(data=[-1] * PIXELS.size)],
    "fractions in UINT8": [pixels_input(data=[0.5] * PIXELS.size)],
    "words": [pixels_input(data=["1"] * PIXELS.size)],
    "one long word and many short ones": [pixels_input(data=["1" * 1_000_000] + ["1"] * (PIXELS.size - 1))],
    "truths": [pixels_input(data=[True] * PIXELS.size)],
    "nulls": [pixels_input(data=[None] * PIXELS.size)],
    "a ragged list": [pixels_input(data=[[1], [2, 3]])],
    "a deep list": [pixels_input(data=json.loads("[" * 200 + "]" * 200))],
    "hundreds of digits": [pixels_input(PIXELS[:1], data=[10**400] * 12_288)],
    "above the range of FP32": [pixels_input(data=[1e300] * PIXELS.size, datatype="FP32")],
    "hundreds of digits in FP32": [pixels_input(PIXELS[:1], data=[10**400] * 12_288, datatype="FP32")],
    "below the range in FP32": [pixels_input(data=[-0.1] * PIXELS.size, datatype="FP32")],
    "an object as data": [pixels_input(data={"0": 1})],
    "no data": [pixels_input(data=None)],
    "data and a binary size": [pixels_input(parameters={"binary_data_size": 10})],
    "a list as parameters": [pixels_input(parameters=[])],
    "an image as UINT8": [image_input(b"", datatype="UINT8")],
    "images in two dimensions": [image_input(b"", shape=[1, 1])],
    "no image": [image_input()],
    "no base64": [image_input(b"", data=["not base64!"])],
    "no ASCII": [image_input(b"", data=["é"])],
    "half a character": [image_input(b"", data=["\ud800"])],
    "a number as image": [image_input(b"", data=[5])],
    "more images than the shape has": [image_input(b"", data=["", ""])],
}


@pytest.mark.parametrize("inputs", BAD_INPUTS.values(), ids=BAD_INPUTS)
def test_a_bad_input_is_a_400_and_no_prediction(client: TestClient, stream: MemoryStream, inputs: object) -> None:
    error_of(client.post(INFER, content=json.dumps({"inputs": inputs})), 400)
    assert stream.events == []


@pytest.mark.parametrize(
    "change",
    [
        {"id": 7},
        {"parameters": 7},
        {"outputs": "label"},
        {"outputs": [7]},
        {"outputs": [{"name": "dog"}]},
        {"outputs": [{"name": []}]},
        {"outputs": [{}]},
        {"outputs": [{"name": "label"}, {"name": "label"}]},
        {"outputs": [{"name": "label", "parameters": 7}]},
    ],
    ids=str,
)
def test_a_bad_field_is_a_400(client: TestClient, change: dict[str, object]) -> None:
    error_of(client.post(INFER, json={"inputs": [pixels_input()], **change}), 400)


@pytest.mark.parametrize("body", [b"not JSON", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"inputs": NaN}', b""])
def test_a_body_that_is_no_request_is_a_400(client: TestClient, body: bytes) -> None:
    error_of(client.post(INFER, content=body), 400)


@pytest.mark.parametrize("value", [b"1", b"[]", b"{}"])
def test_more_values_than_the_largest_batch_has_are_refused_unread(client: TestClient, value: bytes) -> None:
    values = b"[" + b",".join([value] * (3 * 64 * 64 * 3 + 2000)) + b"]"
    assert "more values than 3 images" in error_of(
        client.post(INFER, content=b'{"parameters": {"a": %b}}' % values), 400
    )


@pytest.mark.parametrize("length", ["-1", "soon", "1000000000", "9" * 30, "", "5"])
def test_a_wrong_length_of_the_json_is_a_400(client: TestClient, length: str) -> None:
    body = json.dumps({"inputs": [pixels_input()]}).encode()
    error_of(client.post(INFER, content=body, headers={"Inference-Header-Content-Length": length}), 400)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"", 0),
        (b"abc", 3),
        (struct.pack("<I", 10) + b"abc", 7),
        (struct.pack("<I", 3) + b"abc" + b"rest", 11),
        (struct.pack("<I", 3) + b"abc", 6),
        (struct.pack("<I", 3) + b"abc", None),
        (struct.pack("<I", 3) + b"abc", "7"),
        (struct.pack("<I", 2**32 - 1), 4),
    ],
)
def test_binary_data_that_does_not_add_up_is_a_400(client: TestClient, data: bytes, size: object) -> None:
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": size}}
    body, headers = binary_request(tensor, data)
    error_of(client.post(INFER, content=body, headers=headers), 400)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"{}"),
        ("gzip", zlib.compress(b"{}")),
        ("deflate", gzip.compress(b"{}", mtime=0)),
        ("gzip", gzip.compress(bytes(2000), mtime=0)[:-1]),
        ("gzip", gzip.compress(b"{}", mtime=0)[:5]),
        ("deflate", zlib.compress(b"{}") + b"more"),
        ("deflate", zlib.compress(b"{}")[:-4] + b"sums"),
        ("gzip", b""),
    ],
)
def test_a_damaged_compressed_body_is_a_400(client: TestClient, encoding: str, body: bytes) -> None:
    error_of(client.post(INFER, content=body, headers={"Content-Encoding": encoding}), 400)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "", "x"])
def test_another_encoding_is_a_415_that_names_those_which_are_read(client: TestClient, encoding: str) -> None:
    message = error_of(client.post(INFER, content=b"{}", headers={"Content-Encoding": encoding}), 415)
    assert "identity or gzip or deflate" in message


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_body_over_the_limit_is_never_decompressed_beyond_it(encoding: str) -> None:
    limit_bytes = 100_000
    assert decoded(COMPRESS[encoding](bytes(limit_bytes)), encoding, max_bytes=limit_bytes) == bytes(limit_bytes)
    bomb = COMPRESS[encoding](bytes(100 * limit_bytes))
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge):
            decoded(bomb, encoding, max_bytes=limit_bytes)
        assert tracemalloc.get_traced_memory()[1] < 4 * limit_bytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("image", "status", "reason"),
    [
        (b"I am a cat", 415, "Image 1: The image cannot be used: the content is not JPEG"),
        (encoded(320, 200, "JPEG")[:2000], 422, "Image 1: The image cannot be used: the JPEG image is truncated"),
        (encoded(300, 300, "PNG"), 422, "Image 1: The image cannot be used: the image has 300 x 300 pixels"),
    ],
)
def test_an_image_that_cannot_be_used_is_named_and_the_batch_refused(
    client: TestClient, stream: MemoryStream, image: bytes, status: int, reason: str
) -> None:
    answer = client.post(INFER, json={"inputs": [image_input(encoded(64, 64, "PNG"), image)]})
    assert error_of(answer, status).startswith(reason)
    assert stream.events == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/dognet", 404),
        ("GET", "/v2/models/dognet/ready", 404),
        ("GET", "/v2/models/catnet-mlp/versions/3", 404),
        ("GET", "/v2/models/catnet-mlp/versions/3/ready", 404),
        ("POST", "/v2/models/dognet/infer", 404),
        ("POST", "/v2/models/catnet-mlp/versions/3/infer", 404),
        ("GET", "/v2/models/catnet-mlp/config", 404),
        ("GET", "/v2/anything", 404),
        ("GET", "/v2/models/catnet-mlp%2F1/ready", 404),
        ("GET", INFER, 405),
        ("POST", "/v2/health/live", 405),
    ],
)
def test_what_is_not_there_is_told_in_the_protocol_s_words(
    client: TestClient, method: str, path: str, status: int
) -> None:
    error_of(client.request(method, path), status)


def test_limits_and_deadlines_are_told_in_the_protocol_s_words(
    settings: InferenceSettings, stream: MemoryStream
) -> None:
    settings = settings.model_copy(update={"max_upload_bytes": 5000})
    with TestClient(create_app(settings, stream=stream)) as client:
        error_of(client.post(INFER, content=bytes(6000)), 413)
        bomb = gzip.compress(bytes(6000))
        error_of(client.post(INFER, content=bomb, headers={"Content-Encoding": "gzip"}), 413)
        error_of(client.post(INFER, content=b"{}", headers={"X-Deadline-Ms": "0"}), 504)
        error_of(client.post(INFER, content=b"{}", headers={"X-Deadline-Ms": "soon"}), 400)


def test_a_failure_of_the_service_is_told_in_the_protocol_s_words(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnlib.model.Model.predict", lambda *_: 1 / 0)
    message = error_of(client.post(INFER, json={"inputs": [pixels_input()]}), 500)
    assert "division" not in message


def test_elsewhere_errors_are_problems(client: TestClient) -> None:
    for path in ("/v3", "/v2x", "/"):
        assert client.get(path).headers["content-type"] == "application/problem+json"


def test_each_address_is_counted_by_its_own_route(client: TestClient) -> None:
    client.get("/v2/models/catnet-mlp/ready/")
    client.get("/v2/models/catnet-mlp/versions/1/ready")
    text = client.get("/metrics").text
    for route in ("/v2/models/{model}/ready", "/v2/models/{model}/versions/{version}/ready"):
        sample = f'catnet_http_requests_total{{code="200",method="GET",route="{route}",service="inference"}} 1.0'
        assert sample in text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=20,
)
tensors = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["pixels", "image"]) | json_values,
        "datatype": st.sampled_from(["UINT8", "FP32", "BYTES"]) | json_values,
        "shape": st.sampled_from([[1], [1, 64, 64, 3], [2]]) | json_values,
        "data": st.sampled_from([["aGVsbG8="], [7] * 12_288]) | json_values,
        "parameters": st.fixed_dictionaries({}, optional={"binary_data_size": st.integers(0, 40) | json_values})
        | json_values,
    },
)
requests = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=5) | json_values,
        "inputs": st.lists(tensors, max_size=2) | json_values,
        "outputs": st.lists(st.fixed_dictionaries({"name": st.sampled_from(["label"]) | json_values})) | json_values,
        "parameters": json_values,
    },
)


@given(fields=requests, behind=st.binary(max_size=40), with_length=st.booleans())
def test_any_json_is_a_request_or_refused(fields: object, behind: bytes, with_length: bool) -> None:
    header = json.dumps(fields).encode()
    try:
        asked = read_infer_request(header + behind, str(len(header)) if with_length else None, max_images=2)
    except InvalidInferRequest:
        return
    assert 1 <= len(asked.images) <= 2
