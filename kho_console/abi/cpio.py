"""cpio archives of an initial RAM disk, read for the names in them.

Layout: Documentation/driver-api/early-userspace/buffer-format.rst: headers of 110 bytes with
hexadecimal fields behind the magic 070701 (070702 with a checksum), the name, the content, each
padded to 4. The kernel (init/initramfs.c) refuses 070707.
"""

import re
from collections.abc import Iterator
from typing import Protocol

from kho_console.abi.error import BeyondLimitError, FormatError
from kho_console.abi.reader import Reader

MAGICS = (b"070701", b"070702")

_HEADER = 110
_TRAILER = b"TRAILER!!!"
_NAME_LIMIT = 4096
_ENTRY_LIMIT = 1 << 20
_HEX = re.compile(rb"[0-9a-fA-F]{104}")
_MODULES = re.compile(rb"(?:\.?/+)?(?:usr/+)?lib/+modules/+([^/]+)(/.*)?", re.DOTALL)
_DIRECTORY = 0o040000
_KIND = 0o170000


class Stream(Protocol):
    """Bytes from front to back."""

    @property
    def position(self) -> int:
        """Bytes passed so far, from where the stream counts."""
        ...

    def read(self, size: int) -> bytes:
        """The next bytes, fewer at the end."""
        ...

    def skip(self, size: int) -> None:
        """Pass over the next bytes."""
        ...


class Plain:
    """A stretch of a file; what is passed over is not read."""

    def __init__(self, reader: Reader, position: int) -> None:
        """Start at a file offset."""
        self.position = position
        self._reader = reader

    def read(self, size: int) -> bytes:
        """See `Stream.read`."""
        data = self._reader.read(self.position, size)
        self.position += len(data)
        return data

    def skip(self, size: int) -> None:
        """See `Stream.skip`."""
        self.position += size


class Pieces:
    """The bytes of an expansion, which come piece by piece."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """Start at the first piece."""
        self.position = 0
        self._pieces = pieces
        self._piece = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """See `Stream.read`."""
        found = b""
        while len(found) < size and self._filled():
            part = self._piece[self._at : self._at + size - len(found)]
            found += part
            self._at += len(part)
        self.position += len(found)
        return found

    def skip(self, size: int) -> None:
        """See `Stream.skip`."""
        self.position += size
        while size and self._filled():
            step = min(size, len(self._piece) - self._at)
            self._at += step
            size -= step

    def pass_zeros(self) -> bool:
        """Pass over NULs; whether anything follows them."""
        while self._filled():
            rest = self._piece[self._at :].lstrip(b"\0")
            passed = len(self._piece) - self._at - len(rest)
            self._at += passed
            self.position += passed
            if rest:
                return True
        return False

    def _filled(self) -> bool:
        while self._at == len(self._piece):
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._piece, self._at = piece, 0
        return True


def releases(stream: Stream) -> set[str]:
    """Kernel releases that have a directory of modules in one archive.

    The stream is left behind the archive. Where the data ends the kernel asks for no trailer.

    Raises:
        FormatError: The archive is damaged, or ends inside a file; `BeyondLimitError` where it has
            more files than are looked at.
    """
    found: set[str] = set()
    start = stream.position
    for _ in range(_ENTRY_LIMIT):
        at = stream.position
        header = stream.read(_HEADER)
        if not header:
            return found
        name, mode = _entry(stream, start, at, header)
        if name == _TRAILER:
            return found
        inside = _MODULES.fullmatch(name)
        if inside and (inside[2] or mode & _KIND == _DIRECTORY) and inside[1] not in (b".", b".."):
            found.add(inside[1].decode("utf-8", "backslashreplace"))
    raise BeyondLimitError(stream.position, f"more than {_ENTRY_LIMIT} files in an archive")


def _entry(stream: Stream, start: int, at: int, header: bytes) -> tuple[bytes, int]:
    """Name and mode of the file whose header lies at `at`; the stream is left behind it."""
    if len(header) < _HEADER:
        raise FormatError(stream.position, "a cpio archive ends in a header")
    if header[:6] not in MAGICS:
        raise FormatError(at, f"cpio magic {header[:6]!r}, not 070701 or 070702")
    if not _HEX.fullmatch(header[6:]):
        raise FormatError(at, "a cpio header is no hexadecimal text")
    mode, size, name_size = (int(header[at : at + 8], 16) for at in (14, 54, 94))
    if not 0 < name_size <= _NAME_LIMIT:
        raise FormatError(at + 94, f"a file name of {name_size} bytes")
    name = stream.read(name_size)
    _align(stream, start)
    if name == _TRAILER + b"\0":
        return _TRAILER, mode
    stream.skip(size)
    _align(stream, start)
    return name.partition(b"\0")[0], mode


def _align(stream: Stream, start: int) -> None:
    stream.skip(-(stream.position - start) % 4)
