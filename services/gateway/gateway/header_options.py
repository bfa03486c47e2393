"""The value of a header and its options: ``form-data; name="file"; filename="cat.jpg"``.

Headers as nearly every client writes them are read by one expression; all others by a parser that knows what else has
been seen, at five times the price.
Source: RFC 9110, section 5.6.6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from python_multipart.multipart import parse_options_header

_OPTION = rb'; ?([a-z]+)=(?:([\w.+/-]+)|"([ !#-\[\]-~]*)")'
_USUAL = re.compile(rb"([a-z-]+(?:/[a-z0-9.+-]+)?)((?:%b)*)" % _OPTION)
_OPTIONS = re.compile(_OPTION)


def read_options(header: bytes) -> tuple[bytes, Mapping[bytes, bytes]]:
    """The value in lower case, and its options by name. Nothing that is sent is an error."""
    usual = _USUAL.fullmatch(header)
    if usual is None:
        value, options = parse_options_header(header)
        return value, options
    options = {}
    for name, token, quoted in _OPTIONS.findall(usual[2]):
        options[name] = token or quoted
    return usual[1], options
