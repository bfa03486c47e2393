"""How many pixels the frames of an AV1 bitstream have, and what memory they take, told from its headers alone.

Nothing is said that could be less than a decoder makes of them: it may take the first sequence header or the last, it
does not compare a frame's own size to what the sequence header calls the largest, and it decodes frames that are never
shown.

Source: AV1 Bitstream & Decoding Process Specification, 4.10.3 and 4.10.5 (numbers of variable length), 5.3 (OBU
header), 5.5 (sequence header, colours), 5.9.2 (frame header), 7.18.3 (film grain, which is put on a copy of the frame).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from nnlib.bit_fields import Fields, Span, Unreadable

MAX_SEQUENCE_HEADERS = 64
"""Different ones in a file: a photo has one, and one more for each of its transparency, gain map and thumbnails."""

_SEQUENCE_HEADER = 1
_FRAMES = {3, 6, 7}  # a header; header and tiles; a repeated header, which is taken for the first if that is missing
_KEY_FRAME, _SWITCH_FRAME = 0, 3
_CHOSEN_BY_FRAME = 2
_MOST_BYTES_OF_A_SIZE = 8
_MOST_BYTES_OF_A_SEQUENCE_HEADER = 512  # of up to 32 operating points, with 89 bits at most
_ALL_SAMPLES, _PROFESSIONAL = 1, 2
"""Profiles: the colours of every pixel; all kinds, of which others cannot do with 12 bits or half of the colours."""
_SRGB = 1 << 16 | 13 << 8
"""Primaries, transfer, matrix: red, green and blue themselves."""


class SequenceHeaders:
    """Those of a file, each read once: the thousands of tiles that a photo may have share one."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Sequence] = {}

    def read(self, content: bytes) -> "_Sequence":
        """Raises: Unreadable, also for more than there are in any photo."""
        sequence = self._known.get(content)
        if sequence is None:
            if len(self._known) == MAX_SEQUENCE_HEADERS:
                raise Unreadable
            sequence = self._known[content] = _read_sequence(Fields(content, (0, len(content))))
        return sequence


def frames_of_obus(data: bytes, span: Span, headers: SequenceHeaders) -> Iterator[tuple[int, int]]:
    """For each OBU the pixels of the frame that it begins and the bytes that it takes, or zeros.

    Raises: Unreadable.
    """
    sequence = None
    start, end = span
    while start < end:
        kind, start, behind = _obu(data, start, end)
        pixels = held_bytes = 0
        if kind == _SEQUENCE_HEADER:
            sequence = headers.read(data[start : min(behind, start + _MOST_BYTES_OF_A_SEQUENCE_HEADER)])
        elif kind in _FRAMES:
            if sequence is None:
                raise Unreadable
            pixels = sequence.frame_pixels(Fields(data, (start, behind)))
            held_bytes = pixels * sequence.half_bytes_of_a_pixel // 2
        start = behind
        yield pixels, held_bytes


def _obu(data: bytes, start: int, end: int) -> tuple[int, int, int]:
    """The type of the OBU that starts here, and where its content starts and ends: without a size, at the end."""
    header = data[start]
    start += 2 if header & 0b100 else 1
    size = 0
    if header & 0b10:
        for shift in range(0, 7 * _MOST_BYTES_OF_A_SIZE, 7):
            if start >= end:
                raise Unreadable
            byte = data[start]
            start += 1
            size |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        else:
            raise Unreadable
    else:
        size = end - start
    if not 0 <= size <= end - start:
        raise Unreadable
    return header >> 3 & 0xF, start, start + size


@dataclass(slots=True)
class _Sequence:
    """What frames have in common, as far as it tells their size and what memory they take."""

    pixels: int
    most_pixels: int
    """Of a frame with a size of its own: as many as the bits that it has for it can say."""
    is_reduced: bool
    presentation_time_bits: int
    half_bytes_of_a_pixel: int = 0
    frame_id_bits: int = 0
    screen_content_tools: int = _CHOSEN_BY_FRAME
    integer_motion: int = _CHOSEN_BY_FRAME

    def frame_pixels(self, frame: Fields) -> int:
        """5.9.2, as far as to whether the frame has a size of its own."""
        if self.is_reduced or frame.take(1):  # the second: a frame that was decoded before is shown
            return self.pixels
        kind, is_shown = frame.take(2), frame.take(1)
        frame.skip(self.presentation_time_bits if is_shown else 1)
        if not (kind == _SWITCH_FRAME or (kind == _KEY_FRAME and is_shown)):
            frame.skip(1)
        frame.skip(1)
        tools = frame.take(1) if self.screen_content_tools == _CHOSEN_BY_FRAME else self.screen_content_tools
        if tools and self.integer_motion == _CHOSEN_BY_FRAME:
            frame.skip(1)
        frame.skip(self.frame_id_bits)
        has_own_size = kind == _SWITCH_FRAME or frame.take(1)
        return self.most_pixels if has_own_size else self.pixels


def _read_sequence(fields: Fields) -> _Sequence:
    """5.5.1."""
    profile = fields.take(3)
    fields.skip(1)
    is_reduced = bool(fields.take(1))
    presentation_time_bits = 0
    if is_reduced:
        fields.skip(5)
    else:
        presentation_time_bits = _read_timing(fields)
    width_bits, height_bits = fields.take(4) + 1, fields.take(4) + 1
    pixels = (fields.take(width_bits) + 1) * (fields.take(height_bits) + 1)
    sequence = _Sequence(pixels, 1 << width_bits + height_bits, is_reduced, presentation_time_bits)
    if is_reduced:
        fields.skip(3)
    else:
        _read_tools(fields, sequence)
    fields.skip(3)
    sequence.half_bytes_of_a_pixel = _read_samples(fields, profile) * (2 if fields.take(1) else 1)
    return sequence


def _read_tools(fields: Fields, sequence: _Sequence) -> None:
    if fields.take(1):
        sequence.frame_id_bits = fields.take(4) + 2 + fields.take(3) + 1
    fields.skip(3 + 4)
    has_order = fields.take(1)
    if has_order:
        fields.skip(2)
    if not fields.take(1):
        sequence.screen_content_tools = fields.take(1)
    if sequence.screen_content_tools and not fields.take(1):
        sequence.integer_motion = fields.take(1)
    if has_order:
        fields.skip(3)


def _read_samples(fields: Fields, profile: int) -> int:
    """5.5.2. Returns: the bytes of the samples of two pixels."""
    is_deep = fields.take(1)
    has_12_bits = profile == _PROFESSIONAL and is_deep and fields.take(1)
    is_grey = profile != _ALL_SAMPLES and fields.take(1)
    colours = fields.take(24) if fields.take(1) else 0
    samples = 2
    if is_grey:
        fields.skip(1)
    else:
        is_halved = is_quartered = 0
        if colours != _SRGB:
            fields.skip(1)
            is_halved = fields.take(1) if has_12_bits else profile != _ALL_SAMPLES
            is_quartered = is_halved and (fields.take(1) if has_12_bits else profile != _PROFESSIONAL)
            fields.skip(2 if is_quartered else 0)
        fields.skip(1)
        samples = 3 if is_quartered else 4 if is_halved else 6
    return 2 * samples if is_deep else samples


def _read_timing(fields: Fields) -> int:
    """All that a full sequence header has before the size. Returns: how many bits a shown frame has for its time."""
    has_decoder_model = delay_bits = presentation_time_bits = 0
    if fields.take(1):
        fields.skip(32 + 32)
        has_equal_intervals = fields.take(1)
        if has_equal_intervals:
            _skip_variable_length(fields)
        has_decoder_model = fields.take(1)
        if has_decoder_model:
            delay_bits = fields.take(5) + 1
            fields.skip(32 + 5)
            time_bits = fields.take(5) + 1
            presentation_time_bits = 0 if has_equal_intervals else time_bits
    has_display_delay = fields.take(1)
    for _ in range(fields.take(5) + 1):
        fields.skip(12)
        if fields.take(5) > 7:  # a level from which on a tier is told
            fields.skip(1)
        if has_decoder_model and fields.take(1):
            fields.skip(2 * delay_bits + 1)
        if has_display_delay and fields.take(1):
            fields.skip(4)
    return presentation_time_bits


def _skip_variable_length(fields: Fields) -> None:
    """4.10.3: zeros, a one, and as many bits as there were zeros."""
    zeros = 0
    while not fields.take(1):
        zeros += 1
    fields.skip(zeros)
