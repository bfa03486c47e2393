"""How much work a JPEG asks for beside its pixels, told from its markers: a small file can ask for hours.

Where a JPEG comes in several scans, each goes over the whole picture, in a few dozen bytes: a progressive one may
change nothing, and of any other the decoder makes up what is missing. Before the first scan every marker and every byte
between markers costs its reader a step.

Source: ITU-T T.81, annex B (markers).
"""

import re

MAX_SCANS = 100
"""Encoders write one to about twenty."""

MAX_STEPS = 2000
"""Markers and stray bytes before the first scan; a photo with long metadata has a few hundred."""

_MAX_MARKERS_OF_SCANS = 20_000

_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE_FRAMES = {0xC2, 0xC6, 0xCA, 0xCE}
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xDA)}
_MARKER_AMONG_ENTROPY_CODED = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")


def is_laborious(data: bytes) -> bool:
    """Whether reading this JPEG takes steps or scans beyond all that a sane encoder writes."""
    position = 2
    in_scans = False
    components = 0
    last = len(data) - 1
    for _ in range(MAX_STEPS):
        if position + 3 > last:
            return False
        marker = data[position + 1]
        if data[position] != 0xFF or marker == 0xFF:  # a stray byte, or one that fills
            position += 1
        elif marker == _START_OF_SCAN:
            in_scans |= data[position + 4 : position + 5] < bytes([components])
            return in_scans and _has_many_scans(data, position)
        else:
            if marker in _FRAMES:
                in_scans |= marker in _PROGRESSIVE_FRAMES
                components = max(components, *data[position + 9 : position + 10], 0)
            position += 2
            if not (marker == 0 or marker in _WITHOUT_LENGTH):
                length = data[position] << 8 | data[position + 1]  # without a call: all photos are gone through here
                position += length if length > 2 else 2
    return True


def _has_many_scans(data: bytes, position: int) -> bool:
    # In compressed data these two bytes are a marker; but behind the picture anything may follow (a video, say).
    if data.count(b"\xff\xda", position) <= MAX_SCANS:
        return False
    scans = 0
    for _ in range(_MAX_MARKERS_OF_SCANS):
        marker = _MARKER_AMONG_ENTROPY_CODED.search(data, position)
        if marker is None or data[marker.start() + 1] == _END_OF_IMAGE:
            return False
        scans += data[marker.start() + 1] == _START_OF_SCAN
        if scans > MAX_SCANS:
            return True
        position = _behind(data, marker.start())
    return True


def _behind(data: bytes, position: int) -> int:
    """The first position behind the marker here and its segment, if it has one."""
    marker = data[position + 1]
    if marker == 0 or marker in _WITHOUT_LENGTH:
        return position + 2
    return position + 2 + max(int.from_bytes(data[position + 2 : position + 4], "big"), 2)
