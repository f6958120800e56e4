"""Records one after another, each with its checksum; see the package for the format."""

import struct
import zlib
from enum import IntEnum

from kho_console.abi.error import FormatError
from kho_console.abi.reader import Reader
from kho_console.model.value import dataclass

MAGIC = b"KHO-REC\n"
SCHEMA = 1
HEADER = MAGIC + struct.pack("<H6x", SCHEMA)
MARKER = bytes.fromhex("8f4b484f20636865636b706f696e7400")
"""What the body of a checkpoint begins with, to find one after damage."""

LARGEST_BODY = 40 << 20
"""Bytes; the log of a kernel and a blob have 16 MiB at most."""

LARGEST_TABLE = 4 << 20
"""Bytes of a table or an index once it is expanded: each is a small part of all there is."""

LARGEST_CHECKPOINT = 1 << 12
"""Bytes of its body: the marker, the counts and times, 67 distances."""

_BEFORE_LENGTH = 5
_LONGEST_NUMBER = 10
_AHEAD = 512
"""Most records are shorter: one read gives them whole."""


class Kind(IntEnum):
    """Kinds of records."""

    RUN = 1
    CONTENT = 2
    MOMENT = 3
    MARK = 4
    TABLE = 5
    CHECKPOINT = 6
    INDEX = 7


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole record.

    Attributes:
        kind: A `Kind`, or a number that is not known here.
        body: Its bytes.
        start: Offset of the record.
        end: Offset behind it.
    """

    kind: int
    body: bytes
    start: int
    end: int


def check_header(reader: Reader) -> None:
    """See that a file is a recording that can be read here.

    Raises:
        FormatError: It is none, or of another schema.
    """
    head = reader.read(0, len(HEADER))
    if not head.startswith(MAGIC) or len(head) < len(HEADER):
        raise FormatError(0, "no recording")
    (schema,) = struct.unpack_from("<H", head, len(MAGIC))
    if schema != SCHEMA:
        raise FormatError(len(MAGIC), f"a recording of schema {schema}, {SCHEMA} is known here")


def number(value: int) -> bytes:
    """A varint."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def frame(kind: int, body: bytes) -> bytes:
    """The bytes of a record."""
    checked = bytes((kind,)) + number(len(body)) + body
    return zlib.crc32(checked).to_bytes(4, "little") + checked


def read_frame(reader: Reader, start: int, most: int = LARGEST_BODY) -> Frame:
    """The record at `start`, with a body of at most `most` bytes.

    Raises:
        FormatError: There is none that is whole.
    """
    ahead = reader.read(start, _AHEAD)
    length, at = _length(ahead, start)
    size = at + length
    if length > most or start + size > reader.size:
        raise FormatError(start, "the file ends in a record, or its length is damaged")
    data = ahead[:size] if size <= len(ahead) else reader.read(start, size)
    if len(data) < size or zlib.crc32(data[4:]) != int.from_bytes(data[:4], "little"):
        raise FormatError(start, "the checksum of a record does not hold")
    return Frame(data[4], data[at:], start, start + size)


def starts_before(marker: int) -> range:
    """Where a record may start whose body starts at `marker`, the likeliest first."""
    return range(marker - _BEFORE_LENGTH - 1, marker - _BEFORE_LENGTH - 6, -1)


def _length(ahead: bytes, start: int) -> tuple[int, int]:
    """Length of the body, and where in `ahead` it begins."""
    value = 0
    for count in range(_LONGEST_NUMBER):
        at = _BEFORE_LENGTH + count
        if at >= len(ahead):
            break
        value |= (ahead[at] & 0x7F) << 7 * count
        if ahead[at] < 0x80:
            if not ahead[4]:
                break
            return value, at + 1
    raise FormatError(start, "no record")
