"""Read the photo out of a request's body: into one buffer, never on disk, never past the limit.

Two forms are taken: ``multipart/form-data`` with a field ``file``, and the bare bytes. Every byte of the body counts
against the limit, declared or not, also those of parts that are thrown away.

Source: RFC 7578 (multipart/form-data).
"""

from __future__ import annotations

from gateway.errors import MalformedUpload, UnsupportedUpload
from gateway.header_options import read_options
from gateway.multipart import Part, parts_of
from gateway.request_body import RequestBody
from gateway.transport import Content

_FIELD = "file"
_FIELD_NAME = _FIELD.encode()

_ACCEPTED = (
    f'Send multipart/form-data with the photo in the field "{_FIELD}", '
    "or the photo's bytes alone as image/* or application/octet-stream."
)


async def read_photo(body: RequestBody) -> Content:
    """The photo's bytes, as they were sent. Raises: UploadRefused, ClientLeft."""
    if body.is_absent:
        raise MalformedUpload(f"The request has no body. {_ACCEPTED}")
    fields = body.fields
    if b"content-encoding" in fields and fields[b"content-encoding"].lower() != b"identity":
        raise UnsupportedUpload("A body with a Content-Encoding is not taken. Send the photo's bytes as they are.")
    media_type, parameters = read_options(fields.get(b"content-type", b""))
    is_form = media_type == b"multipart/form-data"
    if not (is_form or media_type.startswith(b"image/") or media_type == b"application/octet-stream"):
        raise UnsupportedUpload(_ACCEPTED)
    content = await body.whole()
    if is_form:
        photo = _photo_in(content, parameters.get(b"boundary", b""))
        return memoryview(content)[photo.start : photo.end]  # a copy would hold the photo twice
    if not content:
        raise MalformedUpload("The body is empty: there is no photo in it.")
    return content


def _photo_in(body: bytes | bytearray, boundary: bytes) -> Part:
    """The one field ``file``; other fields are read over. Raises: MalformedUpload."""
    photo: Part | None = None
    others: list[str] = []
    for part in parts_of(body, boundary):
        if part.name != _FIELD_NAME:
            name = part.name.decode("utf-8", "replace")
            others.append(f'"{name[:40]}"' if name else "a part without a name")
        elif photo is not None:
            raise MalformedUpload(f'There is more than one field "{_FIELD}"; send one photo a request.')
        else:
            photo = part
    if photo is None:
        found = f"found {', '.join(others)}" if others else "found no field"
        raise MalformedUpload(f'The photo must be in the field "{_FIELD}"; {found}.')
    if photo.start == photo.end:
        raise MalformedUpload(f'The field "{_FIELD}" is empty: there is no photo in it.')
    return photo
