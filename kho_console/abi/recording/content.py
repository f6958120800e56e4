"""Values in a recording, each whole or as what is new against another one."""

import zstandard

from kho_console.abi.error import FormatError
from kho_console.abi.recording.fields import Fields
from kho_console.abi.recording.framing import LARGEST_BODY, Frame, number
from kho_console.model.value import dataclass

LONGEST_CHAIN = 32
"""Values that a value may rest on, one on the other."""

_PLAIN, _ZSTD = 0, 1
_WORTH_IT = 48
"""Bytes below which a value is not compressed by itself."""
_SMALL = 1 << 16
_LEVELS = {True: 9, False: 3}
"""How hard zstd tries, by whether a value is small: a large one would take a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Content:
    """A value as it lies in the file.

    Attributes:
        size: Bytes of the value.
        base: Offset of the content it rests on; 0 for none.
        codec: How it is packed.
        payload: The packed value.
    """

    size: int
    base: int
    codec: int
    payload: bytes


def pack(value: bytes, start: int, base: int = 0, base_value: bytes = b"") -> bytes:
    """The body of a CONTENT record at offset `start`, resting on the one at `base`."""
    payload, codec = value, _PLAIN
    if base or len(value) >= _WORTH_IT:
        packed = compress(value, base_value)
        if len(packed) < len(value):
            payload, codec = packed, _ZSTD
    distance = start - base if base and codec else 0
    return number(len(value)) + number(distance) + bytes((codec,)) + payload


def read(record: Frame) -> Content:
    """The fields of a CONTENT record.

    Raises:
        FormatError: They are damaged, or the value is larger than any is.
    """
    fields = Fields(record.body, record.start)
    size, base, codec = fields.number(), fields.place(), fields.take(1)[0]
    if size > LARGEST_BODY or codec not in (_PLAIN, _ZSTD):
        raise fields.wrong("a value that is too large, or packed in an unknown way")
    return Content(size, base, codec, fields.rest())


def value(found: Content, base_value: bytes, start: int) -> bytes:
    """The value of a content at `start`.

    Raises:
        FormatError: It is not of the size that it says.
    """
    if found.codec == _PLAIN:
        data = found.payload
    else:
        data = expand(found.payload, found.size, start, base_value)
    if len(data) != found.size:
        raise FormatError(start, f"a value of {len(data)} bytes should have {found.size}")
    return data


def compress(data: bytes, base: bytes = b"") -> bytes:
    """A zstd frame without magic number, sizes and checksum: the record has them."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVELS[len(data) < _SMALL],
        source_size=len(data),
        dict_size=len(base),
        format=zstandard.FORMAT_ZSTD1_MAGICLESS,
        write_content_size=False,
        write_checksum=False,
        write_dict_id=False,
    )
    known = zstandard.ZstdCompressionDict(base, zstandard.DICT_TYPE_RAWCONTENT) if base else None
    return zstandard.ZstdCompressor(compression_params=parameters, dict_data=known).compress(data)


def expand(
    data: bytes, size: int, start: int, base: bytes = b"", most: int = LARGEST_BODY
) -> bytes:
    """What `compress` packed, `size` bytes and never more; those are at most `most`.

    Raises:
        FormatError: It is damaged.
    """
    if size > most:
        raise FormatError(start, f"{size} bytes are more than any record has")
    if not size:
        return b""
    known = zstandard.ZstdCompressionDict(base, zstandard.DICT_TYPE_RAWCONTENT) if base else None
    tool = zstandard.ZstdDecompressor(
        dict_data=known, format=zstandard.FORMAT_ZSTD1_MAGICLESS, max_window_size=128 << 20
    )
    try:
        with tool.stream_reader(data) as stream:
            return stream.read(size)
    except zstandard.ZstdError as error:
        raise FormatError(start, f"damaged zstd data: {error}") from error
