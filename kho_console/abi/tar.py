"""Tar archives of regular files, as GNU tar and Python write them; everything else is refused.

A reader that knows links, devices or sparse files can be led to write outside of its folder, or
to believe sizes that are not there.
"""

from collections.abc import Iterator
from typing import Protocol

from kho_console.abi.error import FormatError
from kho_console.model.value import dataclass

BLOCK = 512
_RECORD = 20 * BLOCK
"""What writers pad an archive to."""

_LONGEST_NAME = 4096
_REGULAR = (b"0", b"\0")
_LONG_NAME = b"L"


class Stream(Protocol):
    """Bytes that come one after the other."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """One file: its name, its bytes, and where its header lies in the archive."""

    name: bytes
    size: int
    offset: int


class Archive:
    """The members of a stream, in its order; the content of one is read before the next."""

    def __init__(self, stream: Stream, limit: int) -> None:
        """Read from `stream`, of which at most `limit` bytes are believed."""
        self._stream = stream
        self._limit = limit
        self._at = 0

    def members(self) -> Iterator[tuple[Member, Iterator[bytes]]]:
        """Each member with its content in pieces.

        Raises:
            FormatError: It is no such archive, is cut short, or is larger than the limit.
        """
        long_name = None
        while any(header := self._exactly(BLOCK)):
            at = self._at - BLOCK
            name, size, kind = _header(header, at)
            if kind == _LONG_NAME:
                if size > _LONGEST_NAME:
                    raise FormatError(at, f"a name of {size} bytes")
                long_name = self._exactly(_padded(size))[:size].rstrip(b"\0")
                continue
            if kind not in _REGULAR:
                raise FormatError(at, f"a member that is no regular file ({kind!r})")
            pieces = self._content(size)
            yield Member(name if long_name is None else long_name, size, at), pieces
            for _ in pieces:  # What the caller did not want is skipped.
                pass
            long_name = None
        self._end()

    def _content(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            piece = self._exactly(min(left, 1 << 16))
            left -= len(piece)
            yield piece
        self._exactly(_padded(size) - size)

    def _end(self) -> None:
        """Nothing but padding is left."""
        left = _RECORD
        while piece := self._stream.read(left):
            left -= len(piece)
            if any(piece) or not left:
                raise FormatError(self._at, "something follows the end of the archive")

    def _exactly(self, size: int) -> bytes:
        if self._at + size > self._limit:
            raise FormatError(self._at, f"more than {self._limit} bytes")
        parts, left = [], size
        while left:
            piece = self._stream.read(left)
            if not piece:
                raise FormatError(self._at, "it is cut short")
            parts.append(piece)
            left -= len(piece)
        self._at += size
        return b"".join(parts)


def _header(header: bytes, at: int) -> tuple[bytes, int, bytes]:
    told = _octal(header[148:156], at)
    if told != sum(header) - sum(header[148:156]) + 8 * 0x20:
        raise FormatError(at, "the checksum of a header is wrong")
    prefix = header[345:500].split(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    name = header[:100].split(b"\0")[0]
    return prefix + b"/" * bool(prefix) + name, _octal(header[124:136], at), header[156:157]


def _octal(field: bytes, at: int) -> int:
    digits = field.split(b"\0")[0].strip()
    if not digits or digits.strip(b"01234567"):
        raise FormatError(at, "a number of a header is none")
    return int(digits, 8)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
