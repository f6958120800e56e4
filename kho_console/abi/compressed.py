"""Compressed kernels and archives: which compression it is, and what is in it, piece by piece.

The magics are those of the kernel's lib/decompress.c, which looks at two bytes only; a kernel
file of its own is told by all that its format has.
"""

import io
import zlib
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from kho_console.abi import zstd_frame
from kho_console.abi.error import BeyondLimitError, FormatError
from kho_console.abi.reader import Reader

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LIMIT = 512 << 20
"""Default cap of what an expansion gives, bytes."""

_XZ_MEMORY = 192 << 20
"""Kernels are packed with dictionaries of up to 128 MiB (scripts/xz_wrap.sh)."""

_PIECE = 1 << 20
_STEP = 1 << 17


class Compression(StrEnum):
    """The compressions that kernels and their archives come in."""

    GZIP = "gzip"
    BZIP2 = "bzip2"
    LZMA = "lzma"
    XZ = "xz"
    LZO = "lzo"
    LZ4 = "lz4"
    ZSTD = "zstd"


_SHORT = {
    b"\x1f\x8b": Compression.GZIP,
    b"\x1f\x9e": Compression.GZIP,
    b"BZ": Compression.BZIP2,
    b"\x5d\x00": Compression.LZMA,
    b"\xfd7": Compression.XZ,
    b"\x89L": Compression.LZO,
    b"\x02!": Compression.LZ4,
    b"\x28\xb5": Compression.ZSTD,
}

_LONG = {
    b"\x1f\x8b\x08": Compression.GZIP,
    b"BZh": Compression.BZIP2,
    b"\x5d\x00\x00": Compression.LZMA,
    b"\xfd7zXZ\x00": Compression.XZ,
    b"\x89LZO": Compression.LZO,
    b"\x02!L\x18": Compression.LZ4,
    b"\x04\x22M\x18": Compression.LZ4,
    b"\x28\xb5\x2f\xfd": Compression.ZSTD,
}

NO_LIBRARY = frozenset((Compression.LZO, Compression.LZ4))
"""What cannot be expanded here."""


def told_by_two_bytes(data: bytes) -> Compression | None:
    """The compression that the kernel takes an archive or a payload for."""
    return _SHORT.get(data[:2])


def told_by_magic(data: bytes) -> Compression | None:
    """The compression of a file that is nothing else, by the whole magic of its format."""
    return next((form for magic, form in _LONG.items() if data.startswith(magic)), None)


class _Limited(Protocol):
    """What bz2 and lzma have."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class Expansion:
    """What is in one compressed stream, from `start` on.

    Attributes:
        end: File offset behind the stream once iteration came to its end mark; None while it has
            not, and for good where the data is cut.
    """

    def __init__(
        self,
        reader: Reader,
        start: int,
        end: int,
        form: Compression,
        limit: int = LIMIT,
        tell: Callable[[int], None] | None = None,
    ) -> None:
        """Expand the stream of `form` that lies between two offsets, up to `limit` bytes.

        Args:
            reader: The file.
            start: Where the stream begins.
            end: Where it ends at the latest.
            form: Its compression, none of `NO_LIBRARY`.
            limit: Most bytes to give.
            tell: Called with the file offset that was read up to, now and then.
        """
        self.end: int | None = None
        self._reader = reader
        self._start = start
        self._stop = min(end, reader.size)
        self._form = form
        self._limit = limit
        self._tell = tell

    def __iter__(self) -> Iterator[bytes]:
        """Pieces of at least 1 MiB but for the last; where the data is cut they just end.

        Raises:
            FormatError: The data is damaged; `BeyondLimitError` where it gives more than the limit.
        """
        room = self._limit
        parts: list[bytes] = []
        held = 0
        for part in self._parts():
            room -= len(part)
            if room < 0:
                reason = f"more than {self._limit} bytes when expanded"
                raise BeyondLimitError(self._start, reason)
            parts.append(part)
            held += len(part)
            if held >= _PIECE:
                yield b"".join(parts)
                parts, held = [], 0
        if held:
            yield b"".join(parts)

    def _parts(self) -> Iterator[bytes]:
        match self._form:
            case Compression.ZSTD:
                yield from self._zstd()
            case Compression.GZIP:
                yield from self._gzip()
            case Compression.BZIP2:
                yield from self._bzip2()
            case Compression.XZ | Compression.LZMA:
                yield from self._xz()
            case _:
                raise FormatError(self._start, f"no library for {self._form} here")

    def _damaged(self, error: Exception) -> FormatError:
        return FormatError(self._start, f"damaged {self._form} data: {error}")

    def _zstd(self) -> Iterator[bytes]:
        """In pieces of the output; where the frame ends its own headers tell."""
        import zstandard

        end = zstd_frame.end(self._reader, self._start, self._stop)
        if end is not None:
            self._stop = end
        source = io.BufferedReader(_Source(self._input(_STEP)), _STEP)
        try:
            with zstandard.ZstdDecompressor(max_window_size=128 << 20).stream_reader(source) as out:
                while piece := out.read(_PIECE):
                    yield piece
        except zstandard.ZstdError as error:
            raise FormatError(self._start, f"damaged zstd data: {error}") from error
        self.end = end

    def _gzip(self) -> Iterator[bytes]:
        stream = zlib.decompressobj(wbits=31)
        try:
            for at, data in self._input(1 << 16):
                pending = data
                while pending and not stream.eof:
                    yield stream.decompress(pending, _PIECE)
                    pending = stream.unconsumed_tail
                if stream.eof:
                    self.end = at + len(data) - len(stream.unused_data)
                    return
        except zlib.error as error:
            raise self._damaged(error) from error

    def _bzip2(self) -> Iterator[bytes]:
        import bz2

        try:
            yield from self._limited(bz2.BZ2Decompressor())
        except (OSError, ValueError) as error:
            raise self._damaged(error) from error

    def _xz(self) -> Iterator[bytes]:
        import lzma

        form = lzma.FORMAT_XZ if self._form is Compression.XZ else lzma.FORMAT_ALONE
        try:
            yield from self._limited(lzma.LZMADecompressor(form, memlimit=_XZ_MEMORY))
        except lzma.LZMAError as error:
            raise self._damaged(error) from error

    def _limited(self, stream: _Limited) -> Iterator[bytes]:
        for at, data in self._input(1 << 16):
            yield stream.decompress(data, _PIECE)
            while not stream.eof and not stream.needs_input:
                yield stream.decompress(b"", _PIECE)
            if stream.eof:
                self.end = at + len(data) - len(stream.unused_data)
                return

    def _input(self, step: int) -> Iterator[tuple[int, bytes]]:
        """The compressed bytes in steps, each with its file offset; read by the mebibyte."""
        for at in range(self._start, self._stop, _PIECE):
            if self._tell is not None:
                self._tell(at)
            block = self._reader.read(at, min(_PIECE, self._stop - at))
            for inner in range(0, len(block), step):
                yield at + inner, block[inner : inner + step]


class _Source(io.RawIOBase):
    """Compressed bytes as a file that is read from front to back."""

    def __init__(self, steps: Iterator[tuple[int, bytes]]) -> None:
        self._steps = steps
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        if not self._left:
            self._left = next(self._steps, (0, b""))[1]
        room = memoryview(buffer)
        data, self._left = self._left[: len(room)], self._left[len(room) :]
        room[: len(data)] = data
        return len(data)
