"""A usual header is read as the parser of all others would read it."""

from __future__ import annotations

import pytest
from gateway.header_options import read_options
from hypothesis import given, settings
from hypothesis import strategies as st
from python_multipart.multipart import parse_options_header

values = st.sampled_from(
    ["form-data", "image/jpeg", "multipart/form-data", "application/octet-stream", "Image/PNG", "x"]
)
names = st.sampled_from(["name", "filename", "boundary", "charset", "Name", "filename*", "n-1", ""])
contents = st.text(st.characters(max_codepoint=255), max_size=12)
options = st.tuples(st.sampled_from([";", "; ", " ; ", ";;"]), names, st.sampled_from(['"', "", "'"]), contents).map(
    lambda parts: f"{parts[0]}{parts[1]}={parts[2]}{parts[3]}{parts[2]}"
)


@settings(max_examples=1000)
@given(values, st.lists(options, max_size=4))
def test_the_quick_way_reads_what_the_long_one_does(value: str, given_options: list[str]) -> None:
    header = (value + "".join(given_options)).encode("latin-1")
    assert read_options(header) == parse_options_header(header)


@settings(max_examples=1000)
@given(st.text(st.sampled_from('abn= ;"\\*/-\r\n%é'), max_size=40))
def test_so_it_does_with_anything(text: str) -> None:
    header = text.encode("latin-1")
    assert read_options(header) == parse_options_header(header)


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        (b"image/jpeg", b"image/jpeg", {}),
        (
            b"multipart/form-data; boundary=----WebKitFormBoundaryx7",
            b"multipart/form-data",
            {b"boundary": b"----WebKitFormBoundaryx7"},
        ),
        (
            b'form-data; name="file"; filename="a cat; 2.jpg"',
            b"form-data",
            {b"name": b"file", b"filename": b"a cat; 2.jpg"},
        ),
        (b'form-data; name="f\\"ile"', b"form-data", {b"name": b'f"ile'}),
        (b"", b"", {}),
    ],
)
def test_headers_of_common_clients(header: bytes, value: bytes, expected: dict[bytes, bytes]) -> None:
    assert read_options(header) == (value, expected)
