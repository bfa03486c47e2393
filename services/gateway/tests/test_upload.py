"""However a body is cut into pieces, the same photo comes out of it; whatever is in it, the refusal is a 4xx."""

from __future__ import annotations

from collections.abc import Coroutine
from itertools import pairwise

import pytest
from gateway.errors import ClientLeft, MalformedUpload, UnsupportedUpload, UploadRefused, UploadTooLarge
from gateway.multipart import MAX_PART_HEAD_BYTES, MAX_PARTS, parts_of
from gateway.request_body import RequestBody
from gateway.transport import Content
from gateway.upload import read_photo
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.types import Message

BOUNDARY = "----boundary0123456789"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def part(content: bytes, name: str = "file", filename: str | None = "cat.jpg") -> bytes:
    disposition = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\nContent-Type: image/jpeg\r\n\r\n"
    return head.encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def read(
    chunks: list[bytes],
    content_type: str = FORM,
    *,
    limit: int = 10_000_000,
    declared: int | None = None,
    headers: dict[str, str] | None = None,
) -> Content:
    """Read a body that arrives in these pieces; its length is not declared unless told."""
    messages: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        return messages.pop(0)

    length = {"transfer-encoding": "chunked"} if declared is None else {"content-length": str(declared)}
    all_headers = Headers({"content-type": content_type, **length, **(headers or {})})
    return finish(read_photo(RequestBody({"headers": all_headers.raw}, receive, limit_bytes=limit)))


def finish(reading: Coroutine[None, None, Content]) -> Content:
    """Run what never waits, without the price of an event loop for each of thousands of examples."""
    try:
        reading.send(None)
    except StopIteration as end:
        photo: Content = end.value
        return photo
    raise AssertionError("waited")


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


photos = st.one_of(
    st.binary(min_size=1, max_size=300),
    st.lists(
        st.sampled_from([b"\r", b"\n", b"--", b"\r\n--", f"\r\n--{BOUNDARY[:-1]}".encode(), b"x"]), min_size=1
    ).map(b"".join),
)


@settings(deadline=None)
@given(photos, st.lists(st.integers(0, 2000), max_size=12))
def test_a_form_cut_anywhere_gives_the_same_photo(photo: bytes, places: list[int]) -> None:
    body = form(part(b"a note", name="note", filename=None), part(photo), part(b"x", name="other"))
    assert read(cut(body, places)) == photo


def test_a_form_cut_between_all_its_bytes_gives_the_same_photo() -> None:
    photo = bytes(range(256)) + b"\r\n--" + BOUNDARY[:-1].encode()
    assert read([bytes([byte]) for byte in form(part(photo))]) == photo


@settings(deadline=None)
@given(photos, st.lists(st.integers(0, 2000), max_size=12), st.sampled_from(["image/jpeg", "application/octet-stream"]))
def test_a_bare_body_is_the_photo(photo: bytes, places: list[int], content_type: str) -> None:
    assert read(cut(photo, places), content_type) == photo


@settings(deadline=None)
@given(
    st.sampled_from(["Content-Disposition", "content-disposition", "CONTENT-DISPOSITION"]),
    st.text(st.sampled_from('file-._"\\é ;='), max_size=6),
    st.none() | st.text(st.characters(max_codepoint=0x2FF, exclude_characters="\r\n"), max_size=12),
    st.none() | st.text(st.characters(max_codepoint=0x2FF, exclude_characters="\r\n"), max_size=12),
)
def test_the_head_of_a_part_is_read_the_quick_way_as_the_long_one(
    header: str, name: str, filename: str | None, content_type: str | None
) -> None:
    head = f'\r\n{header}: form-data; name="{name}"'
    head += "" if filename is None else f'; filename="{filename}"'
    head += "" if content_type is None else f"\r\nContent-Type: {content_type}"
    (quick,), (long,) = (
        parts_of(f"--b{first}{head}\r\n\r\nphoto\r\n--b--".encode(), b"b") for first in ("", "\r\nx: y")
    )
    assert quick.name == long.name


mutations = st.lists(
    st.tuples(st.integers(0, 2000), st.integers(0, 20), st.binary(max_size=20)), min_size=1, max_size=6
)


@settings(max_examples=500, deadline=None)
@given(mutations, st.lists(st.integers(0, 2000), max_size=4))
def test_a_mutated_form_gives_a_photo_or_a_refusal(mutated: list[tuple[int, int, bytes]], places: list[int]) -> None:
    body = form(part(b"a note", name="note", filename=None), part(b"photo" * 10))
    for place, removed, inserted in mutated:
        at = place % len(body) if body else 0
        body = body[:at] + inserted + body[at + removed :]
    try:
        assert read(cut(body, places))
    except UploadRefused as refusal:
        assert 400 <= refusal.status < 500


@settings(deadline=None)
@given(st.binary(max_size=500), st.text(max_size=60))
def test_any_bytes_under_any_boundary_give_a_photo_or_a_refusal(body: bytes, boundary: str) -> None:
    content_type = f"multipart/form-data; boundary={boundary}".encode("latin-1", "replace").decode("latin-1")
    try:
        read([body], content_type)
    except UploadRefused as refusal:
        assert 400 <= refusal.status < 500


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (form(), 'The photo must be in the field "file"; found no field.'),
        (form(part(b"x", name="photo")), 'The photo must be in the field "file"; found "photo".'),
        (form(part(b"x", name="a"), part(b"x", name="")), 'found "a", a part without a name.'),
        (form(part(b"")), 'The field "file" is empty'),
        (form(part(b"x"), part(b"y")), 'There is more than one field "file"'),
        (part(b"x"), "ends before its last boundary"),
        (b"", "is nowhere in the body"),
        (b"no form at all", "is nowhere in the body"),
        (form(part(b"x")).replace(b"--", b"-"), "is nowhere in the body"),
        (f"--{BOUNDARY} and more\r\n\r\nx\r\n--{BOUNDARY}--".encode(), "The multipart body is broken."),
        (part(b"x", filename="n" * MAX_PART_HEAD_BYTES) + form(), "The multipart body is broken."),
        (form(*[part(b"", name="x")] * (MAX_PARTS + 1)), f"more than {MAX_PARTS} parts"),
    ],
)
def test_a_malformed_form_is_told_what_is_wrong(body: bytes, said: str) -> None:
    with pytest.raises(MalformedUpload) as refusal:
        read([body])
    assert said in refusal.value.detail


def test_a_field_name_is_repeated_in_part_only() -> None:
    with pytest.raises(MalformedUpload) as refusal:
        read([form(part(b"x", name="n" * 1000))])
    assert len(refusal.value.detail) < 120


def test_what_stands_before_the_first_boundary_or_only_looks_like_one_is_no_part() -> None:
    photo = f"a\r\n--{BOUNDARY}-b\r\n--{BOUNDARY}c\n--{BOUNDARY}--d".encode()
    assert read([b"a preamble\r\n" + form(part(photo)) + b"an epilogue"]) == photo


def test_a_photo_without_a_filename_is_taken() -> None:
    assert read([form(part(b"photo", filename=None))]) == b"photo"


def test_a_header_that_goes_on_in_the_next_line_is_read() -> None:
    folded = part(b"photo").replace(b"; name", b";\r\n name").replace(b"; filename", b";\r\n\tfilename")
    assert read([form(folded)]) == b"photo"


@pytest.mark.parametrize("content_type", ["multipart/form-data", f"multipart/form-data; boundary={'b' * 300}"])
def test_a_form_needs_a_usable_boundary(content_type: str) -> None:
    with pytest.raises(MalformedUpload):
        read([form(part(b"x"))], content_type)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/json"])
def test_other_content_types_are_not_taken(content_type: str) -> None:
    with pytest.raises(UnsupportedUpload):
        read([b"x"], content_type)


def test_a_compressed_body_is_not_taken() -> None:
    with pytest.raises(UnsupportedUpload):
        read([b"x"], "image/jpeg", headers={"content-encoding": "gzip"})


@pytest.mark.parametrize("content_type", [FORM, "image/jpeg", "text/plain", ""])
def test_no_body_is_malformed_whatever_its_type(content_type: str) -> None:
    with pytest.raises(MalformedUpload, match="has no body"):
        read([], content_type, declared=0)


def test_an_empty_bare_body_is_malformed() -> None:
    with pytest.raises(MalformedUpload, match="is empty"):
        read([], "image/jpeg")


def test_the_limit_itself_is_allowed() -> None:
    assert read([b"x" * 60, b"x" * 40], "image/jpeg", limit=100) == b"x" * 100


def test_a_byte_over_the_limit_is_refused_while_it_streams() -> None:
    with pytest.raises(UploadTooLarge):
        read([b"x" * 60, b"x" * 41], "image/jpeg", limit=100)


def test_bytes_of_other_fields_count() -> None:
    with pytest.raises(UploadTooLarge):
        read([form(part(b"x" * 1000, name="other"), part(b"x"))], limit=1000)


def test_a_declared_length_over_the_limit_is_refused_before_a_byte_is_read() -> None:
    async def receive() -> Message:
        raise AssertionError("read")

    headers = [(b"content-type", b"image/jpeg"), (b"content-length", b"101")]
    with pytest.raises(UploadTooLarge):
        finish(read_photo(RequestBody({"headers": headers}, receive, limit_bytes=100)))


def test_a_client_that_leaves_is_noticed() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    headers = [(b"content-type", b"image/jpeg"), (b"content-length", b"10")]
    with pytest.raises(ClientLeft):
        finish(read_photo(RequestBody({"headers": headers}, receive, limit_bytes=100)))
