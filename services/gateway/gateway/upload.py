"""Read the photo out of a request's body: once, as it arrives, never on disk, never past the limit.

Two forms are taken: ``multipart/form-data`` with a field ``file``, and the bare bytes. Every byte of the body counts
against the limit, declared or not, also those of parts that are thrown away.

Source: RFC 7578 (multipart/form-data).
"""

from __future__ import annotations

import io
from typing import Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers

from gateway.errors import MalformedUpload, UnsupportedUpload
from gateway.request_body import RequestBody

FIELD = "file"
MAX_PARTS = 32
"""Parts cost far more time than bytes do; a form that sends one photo has few."""

_ACCEPTED = (
    f'Send multipart/form-data with the photo in the field "{FIELD}", '
    "or the photo's bytes alone as image/* or application/octet-stream."
)


async def read_photo(headers: Headers, body: RequestBody) -> bytes:
    """The photo's bytes, as they were sent. Raises: UploadRefused, ClientLeft."""
    if body.is_absent:
        raise MalformedUpload(f"The request has no body. {_ACCEPTED}")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedUpload("A body with a Content-Encoding is not taken. Send the photo's bytes as they are.")
    photo = _photo_in(headers.get("content-type", ""))
    async for chunk in body.chunks():
        photo.write(chunk)
    return photo.finish()


class _Photo(Protocol):
    """Takes the body's pieces, gives the photo in them."""

    def write(self, chunk: bytes) -> object: ...

    def finish(self) -> bytes: ...


def _photo_in(content_type: str) -> _Photo:
    media_type, parameters = parse_options_header(content_type)
    if media_type == b"multipart/form-data":
        return _MultipartPhoto(parameters.get(b"boundary", b""))
    if media_type.startswith(b"image/") or media_type == b"application/octet-stream":
        return _BarePhoto()
    raise UnsupportedUpload(_ACCEPTED)


class _BarePhoto:
    """The whole body is the photo."""

    def __init__(self) -> None:
        self._content = io.BytesIO()
        self.write = self._content.write

    def finish(self) -> bytes:
        content = self._content.getvalue()
        if not content:
            raise MalformedUpload("The body is empty: there is no photo in it.")
        return content


class _MultipartPhoto:
    """The photo is the content of the one field ``file``; other fields are read over."""

    def __init__(self, boundary: bytes) -> None:
        if not boundary:
            raise MalformedUpload("The Content-Type multipart/form-data names no boundary.")
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._read_header_name,
                    "on_header_value": self._read_header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._begin_content,
                    "on_part_data": self._read_content,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise MalformedUpload("The boundary of the multipart body is too long.") from error
        self._photo: io.BytesIO | None = None
        self._is_in_photo = False
        self._is_ended = False
        self._parts = 0
        self._other_fields: list[str] = []
        self._header_name = b""
        self._header_value = b""
        self._disposition = b""

    def write(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedUpload("The multipart body is broken.") from error

    def finish(self) -> bytes:
        if not self._is_ended:
            raise MalformedUpload("The multipart body ends before its last boundary.")
        if self._photo is None:
            found = f"found {', '.join(self._other_fields)}" if self._other_fields else "found no field"
            raise MalformedUpload(f'The photo must be in the field "{FIELD}"; {found}.')
        content = self._photo.getvalue()
        if not content:
            raise MalformedUpload(f'The field "{FIELD}" is empty: there is no photo in it.')
        return content

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise MalformedUpload(f"The multipart body has more than {MAX_PARTS} parts.")
        self._disposition = b""
        self._is_in_photo = False

    def _read_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _read_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header_name = self._header_value = b""

    def _begin_content(self) -> None:
        _, parameters = parse_options_header(self._disposition)
        name = parameters.get(b"name", b"").decode("utf-8", "replace")
        if name != FIELD:
            self._other_fields.append(f'"{name[:40]}"' if name else "a part without a name")
            return
        if self._photo is not None:
            raise MalformedUpload(f'There is more than one field "{FIELD}"; send one photo a request.')
        self._photo = io.BytesIO()
        self._is_in_photo = True

    def _read_content(self, data: bytes, start: int, end: int) -> None:
        if self._is_in_photo and self._photo is not None:
            self._photo.write(memoryview(data)[start:end])

    def _end(self) -> None:
        self._is_ended = True
