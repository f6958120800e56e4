"""How decoders of large files get at their bytes: by offset, never the whole file at once."""

from typing import Protocol

from kho_console.abi.error import FormatError


class Reader(Protocol):
    """The bytes of a file."""

    @property
    def size(self) -> int:
        """Bytes of the file."""
        ...

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset` on; fewer at the end of the file."""
        ...


class Bytes:
    """Bytes that are at hand."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self._data)

    def read(self, offset: int, size: int) -> bytes:
        """See `Reader.read`."""
        return self._data[offset : offset + size]


class Ahead:
    """A file that is read from its start to its end in small pieces; it is asked for large ones."""

    def __init__(self, whole: Reader, piece: int = 1 << 20) -> None:
        """Ask `whole` for `piece` bytes at once."""
        self._whole = whole
        self._piece = piece
        self._start = 0
        self._held = b""

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._whole.size

    def read(self, offset: int, size: int) -> bytes:
        """See `Reader.read`."""
        at = offset - self._start
        if at < 0 or at + size > len(self._held):
            if size > self._piece:
                return self._whole.read(offset, size)
            self._start, self._held = offset, self._whole.read(offset, self._piece)
            at = 0
        return self._held[at : at + size]


class Part:
    """A stretch of a file, as a file of its own."""

    def __init__(self, whole: Reader, start: int, size: int) -> None:
        """The bytes from `start` on; fewer than `size` where the file ends before."""
        self._whole = whole
        self._start = start
        self._size = max(min(size, whole.size - start), 0)

    @property
    def size(self) -> int:
        """Bytes of the stretch that are there."""
        return self._size

    def read(self, offset: int, size: int) -> bytes:
        """See `Reader.read`."""
        room = max(self._size - offset, 0)
        return self._whole.read(self._start + offset, min(size, room))


def exactly(reader: Reader, offset: int, size: int, what: str) -> bytes:
    """All `size` bytes from `offset` on.

    Raises:
        FormatError: The file ends before.
    """
    data = reader.read(offset, size)
    if len(data) < size:
        raise FormatError(offset + len(data), f"the file ends in {what}")
    return data
